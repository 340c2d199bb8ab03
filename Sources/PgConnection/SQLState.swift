/// The five-character code with which PostgreSQL classifies an error (documentation, appendix A).
public struct SQLState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    public var description: String { rawValue }

    /// The first two characters: the class that the code belongs to.
    public var classCode: Substring { rawValue.prefix(2) }

    public static let readOnlyTransaction = Self(rawValue: "25006")
    public static let uniqueViolation = Self(rawValue: "23505")
    public static let exclusionViolation = Self(rawValue: "23P01")
    public static let checkViolation = Self(rawValue: "23514")
    public static let notNullViolation = Self(rawValue: "23502")
    public static let foreignKeyViolation = Self(rawValue: "23503")
    public static let serializationFailure = Self(rawValue: "40001")
    public static let deadlockDetected = Self(rawValue: "40P01")
    public static let insufficientPrivilege = Self(rawValue: "42501")
    public static let syntaxError = Self(rawValue: "42601")
    public static let undefinedTable = Self(rawValue: "42P01")
    public static let undefinedObject = Self(rawValue: "42704")
    public static let invalidSchemaName = Self(rawValue: "3F000")
    public static let duplicateSchema = Self(rawValue: "42P06")
    public static let duplicateObject = Self(rawValue: "42710")
    public static let duplicateTable = Self(rawValue: "42P07")
    public static let configurationLimitExceeded = Self(rawValue: "53400")
    public static let objectInUse = Self(rawValue: "55006")
    public static let prerequisiteMissing = Self(rawValue: "55000")
    public static let lockNotAvailable = Self(rawValue: "55P03")
    public static let characterNotInRepertoire = Self(rawValue: "22021")
    public static let queryCanceled = Self(rawValue: "57014")
    public static let adminShutdown = Self(rawValue: "57P01")
    public static let crashShutdown = Self(rawValue: "57P02")
    public static let cannotConnectNow = Self(rawValue: "57P03")
    /// PostgreSQL 17's `transaction_timeout`.
    public static let transactionTimeout = Self(rawValue: "25P04")
    public static let internalError = Self(rawValue: "XX000")
    public static let idleInTransactionSessionTimeout = Self(rawValue: "25P03")
}

extension SQLState {
    /// Whether a name that the statement uses stands for nothing: a schema, a relation, or an object of a relation.
    public var isAboutAMissingObject: Bool {
        self == .undefinedTable || self == .undefinedObject || self == .invalidSchemaName
    }
}
