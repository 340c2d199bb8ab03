import FoundationEssentials
import LedgerWorkload
import PgConnection

/// A change of a table under load. What is before, what is done and what must be afterwards stands in `cases/<name>/*.sql`; here is
/// how the load uses the table.
struct MigrationCase: Sendable, CustomStringConvertible {
    /// The name of the directory.
    let name: String
    let table: WorkloadTable
    /// Whether the tool is told to build a shadow where PostgreSQL would not rewrite the table.
    let isForced: Bool

    var description: String { name }

    /// Of the table `orders`, which all cases have.
    ///
    /// - Parameter columns: in the place of the usual ones of the same name, or beside them.
    init(
        _ name: String, key: [KeyColumn] = [KeyColumn("id", .integer(from: 1_000_000))], columns: [PayloadColumn] = [],
        isForced: Bool = false
    ) throws {
        self.name = name
        self.isForced = isForced
        let replaced = Set(columns.map(\.name))
        table = try WorkloadTable(
            QualifiedName(schema: "public", name: "orders"), key: key,
            columns: Self.usual.filter { !replaced.contains($0.name) } + columns)
    }

    private static let usual = [
        PayloadColumn("amount", .numeric(scale: 2)),
        PayloadColumn("note", .text(maxLength: 40)),
        PayloadColumn("doc", .json),
        PayloadColumn("code", .uniqueText(prefix: "c' \\")),
        PayloadColumn("serial_no", .uniqueInteger(from: 1)),
        PayloadColumn("blob", .toast(bytes: 2500...9000)),
        PayloadColumn("hits", .counter),
    ]

    enum File: String {
        case setup
        case alter
        case expect
        /// Further statements that run all the time beside the load; not every case has them.
        case live
    }

    /// nil when the case has no such file.
    func sql(_ file: File) -> String? {
        let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let path = directory.appending(path: "cases/\(name)/\(file.rawValue).sql").path
        return FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The names of all directories that hold a case.
    static func directories() throws -> [String] {
        let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try FileManager.default.contentsOfDirectory(atPath: directory.appending(path: "cases").path).sorted()
    }
}
