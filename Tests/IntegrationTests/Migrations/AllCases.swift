import LedgerWorkload

extension MigrationCase {
    static func all() throws -> [MigrationCase] {
        try keys() + types() + columns() + constraints()
    }

    private static func keys() throws -> [MigrationCase] {
        [
            try MigrationCase("int-to-bigint-identity", key: [KeyColumn("id", .sequence(updatable: true))]),
            try MigrationCase("int-to-bigint-always", key: [KeyColumn("id", .sequence(updatable: false))]),
            try MigrationCase("int-to-bigint-serial", key: [KeyColumn("id", .sequence(updatable: true))]),
            try MigrationCase(
                "composite-key",
                key: [KeyColumn("tenant", .quotient(by: 10, from: 100_000)), KeyColumn("id", .remainder(by: 10))]),
            try MigrationCase("uuid-key", key: [KeyColumn("id", .uuid)]),
            try MigrationCase("text-key", key: [KeyColumn("id", .text(prefix: "new \\ ' \" {ä}, \\N \t\n😀 "))]),
        ]
    }

    private static func types() throws -> [MigrationCase] {
        [
            try MigrationCase("text-to-varchar"),
            try MigrationCase("varchar-to-text", isForced: true),
            try MigrationCase(
                "numeric-scale", columns: [PayloadColumn("serial_no", .uniqueInteger(from: 1), deferrable: true)]),
            try MigrationCase("timestamp-to-timestamptz", columns: [PayloadColumn("at", .timestamp)]),
            try MigrationCase("json-to-jsonb"),
            try MigrationCase(
                "enum-to-text", columns: [PayloadColumn("mood", .enumeration(["sad", "ok", "very 'happy'"]))]),
            try MigrationCase(
                "text-to-int-using", columns: [PayloadColumn("number", .integer(-90_000...90_000), preparable: false)]),
            // Read in one collation before and after, or else PostgreSQL refuses the prepared statement after the change.
            try MigrationCase(
                "collation",
                columns: [
                    PayloadColumn(
                        "note", .text(maxLength: 40), canonical: CanonicalForm(always: "note::text COLLATE \"POSIX\""))
                ]),
        ]
    }

    private static func columns() throws -> [MigrationCase] {
        [
            try MigrationCase(
                "rename-column",
                columns: [
                    PayloadColumn(
                        "origin", .frozen(newRow: "new"),
                        canonical: CanonicalForm(before: "origin", after: "\"Odd \"\" provenance\""))
                ], isForced: true),
            try MigrationCase("drop-column", isForced: true),
            try MigrationCase(
                "add-columns",
                columns: [
                    PayloadColumn(
                        "added_constant", .frozen(newRow: "7"),
                        canonical: CanonicalForm(before: "'7'", after: "added_constant::text")),
                    PayloadColumn(
                        "added_nullable", .frozen(newRow: nil),
                        canonical: CanonicalForm(before: "NULL::text", after: "added_nullable")),
                ]),
        ]
    }

    private static func constraints() throws -> [MigrationCase] {
        [
            try MigrationCase("add-check", isForced: true),
            try MigrationCase(
                "set-not-null", columns: [PayloadColumn("note", .text(maxLength: 40), nullable: false)], isForced: true),
            try MigrationCase("rebuild", isForced: true),
        ]
    }
}
