import CLibPQ

/// What the server answered to one statement. Owns libpq's result, which nobody changes any more, so that it can be
/// read from any thread.
public final class PgResult: @unchecked Sendable {
    /// libpq's result, valid for as long as this object.
    package let pointer: OpaquePointer
    let statement: String

    init(owning pointer: OpaquePointer, statement: String) {
        self.pointer = pointer
        self.statement = statement
    }

    deinit {
        PQclear(pointer)
    }

    /// How many rows the answer has.
    public var count: Int { Int(PQntuples(pointer)) }

    /// How many rows the statement inserted, updated, deleted or copied; 0 where the statement has no such number.
    public var affectedRows: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

    /// For example `INSERT 0 5`, `COMMIT`, `ROLLBACK`.
    public var commandTag: String { String(cString: PQcmdStatus(pointer)) }

    public var columnNames: [String] {
        (0..<PQnfields(pointer)).map { index in PQfname(pointer, index).map { String(cString: $0) } ?? "" }
    }

    public var rows: some Sequence<PgRow> {
        (0..<count).lazy.map { PgRow(result: self, index: Int32($0)) }
    }

    public var first: PgRow? {
        count > 0 ? PgRow(result: self, index: 0) : nil
    }

    /// The only row of a statement that always has one. Throws `unexpectedResult` otherwise.
    public func single() throws -> PgRow {
        guard count == 1, let first else {
            throw PgError(
                code: .unexpectedResult, message: "expected one row, PostgreSQL returned \(count)",
                statement: statement)
        }
        return first
    }
}
