import FoundationEssentials
import Glibc

extension ThrowawayServer {
    /// A libpq connection string in keyword form, every value quoted.
    public func conninfo(database: String = "postgres", user: String = "postgres") -> String {
        [("host", socketDirectory), ("port", String(port)), ("dbname", database), ("user", user)]
            .map { name, value in "\(name)=\(Self.quote(value))" }
            .joined(separator: " ")
    }

    /// Creates an empty database, owned by `postgres`.
    public func createDatabase(_ name: String) async throws {
        try await command("createdb", ["--", name]).output(purpose: "creating the database \"\(name)\" in \(self)")
    }

    /// Runs SQL (and psql's own commands) in autocommit mode, and stops at the first error.
    ///
    /// - Returns: the rows only, a line each, columns separated by `|`, without the final line break.
    /// - Throws: `ThrowawayServerError` with PostgreSQL's message and the line of `sql`.
    @discardableResult
    public func psql(_ sql: String, database: String = "postgres", user: String = "postgres") async throws -> String {
        let script = "\(directory)/psql-\(UUID().uuidString).sql"
        do {
            try Data(sql.utf8).write(to: URL(filePath: script))
        } catch {
            throw ThrowawayServerError("cannot write \(script): \(error). No statement was executed.")
        }
        defer { unlink(script) }
        let output = try await command(
            "psql",
            [
                "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "--file=\(script)",
                "--dbname=\(conninfo(database: database, user: user))",
            ]
        ).output(purpose: "executing SQL in the database \"\(database)\" of \(self)")
        return output.hasSuffix("\n") ? String(output.dropLast()) : output
    }

    /// What pg_dump of the server's own version writes.
    ///
    /// Without the `\restrict` and `\unrestrict` lines, which newer minor versions (15.14, 16.10 and 18.0 on) put a
    /// random word into, so that two dumps of the same thing are the same text.
    ///
    /// - Parameter arguments: further arguments of pg_dump, such as `--schema=public`.
    public func dump(
        schemaOnly: Bool = true, database: String = "postgres", arguments: [String] = []
    ) async throws -> String {
        let text = try await command(
            "pg_dump",
            (schemaOnly ? ["--schema-only"] : []) + ["--dbname=\(conninfo(database: database))"] + arguments
        ).output(purpose: "dumping the database \"\(database)\" of \(self)")
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("\\restrict ") && !$0.hasPrefix("\\unrestrict ") }
            .joined(separator: "\n")
    }

    private func command(_ program: String, _ arguments: [String]) -> Command {
        // As the caller's own user: only the server itself must not be root.
        Command(
            program: binaries.path(program), arguments: arguments,
            extraEnvironment: ["PGHOST": socketDirectory, "PGPORT": String(port), "PGUSER": "postgres"])
    }

    /// In a quoted value of a connection string a backslash escapes a quote and itself
    /// (`conninfo_parse` in src/interfaces/libpq/fe-connect.c).
    private static func quote(_ value: String) -> String {
        "'\(value.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'"
    }
}
