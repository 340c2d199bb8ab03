import PgConnection

/// The name of the type that is an array of a table's rows. It is `_orders`, unless a table `_orders` is there as well: then it is another one,
/// depending on which was there first. In the green schema the other table is missing, and the usual name would be in the way at the cut-over.
///
/// Nobody can rename such a type. But PostgreSQL chooses another name when the usual one is taken (`_orders_1`, before 18 `__orders`), and another
/// one later when its name is wanted for something else (`__orders`): `makeArrayTypeName` and `moveArrayTypeName` in
/// src/backend/catalog/pg_type.c. So there are empty types under these names for a moment.
struct ArrayTypeName {
    let sourceOID: UInt32
    let green: QualifiedName

    /// More of them than this are nobody's tables; what meets then is refused by its name.
    private static let most = 20

    private var usual: String { "_" + green.name }

    /// Before the green table is made: takes the names that it is not to have. Returns them.
    func occupy(on connection: isolated PgConnection) throws -> [String] {
        guard let wanted = try name(of: sourceOID, on: connection) else { return [] }
        let parts = wanted.drop { $0 == "_" }.dropFirst(green.name.drop { $0 == "_" }.count)
        guard wanted.hasSuffix(usual + parts), parts.first == "_", let number = Int(parts.dropFirst()),
            (1...Self.most).contains(number)
        else { return [] }
        var taken: [String] = []
        for name in [usual] + (1..<number).map({ "\(usual)_\($0)" }) where try !exists(name, on: connection) {
            try create(name, on: connection)
            taken.append(name)
        }
        return taken
    }

    /// - Parameter taken: what `occupy` has returned; it is free again afterwards.
    func copy(to greenOID: UInt32, _ taken: [String] = [], on connection: isolated PgConnection) throws {
        var passing = taken
        let wanted = try name(of: sourceOID, on: connection) ?? ""
        while let present = try name(of: greenOID, on: connection), passing.count < Self.most,
            Self.underscores(present) < Self.underscores(wanted)
        {
            // The next one may be that of the arrays of such a type, which gives way in the same manner.
            let next = "_" + present
            if try passing.contains(where: { try isArray(next, of: $0, on: connection) }) {
                try create(next, on: connection)
                try drop(next, on: connection)
            }
            try create(present, on: connection)
            passing.append(present)
        }
        for type in passing { try drop(type, on: connection) }
    }

    private static func underscores(_ name: String) -> Int { name.prefix { $0 == "_" }.count }

    private func create(_ type: String, on connection: isolated PgConnection) throws {
        try connection.execute("CREATE TYPE \(QualifiedName(schema: green.schema, name: type).sql) AS ()")
    }

    private func drop(_ type: String, on connection: isolated PgConnection) throws {
        try connection.execute("DROP TYPE \(QualifiedName(schema: green.schema, name: type).sql)")
    }

    private func exists(_ type: String, on connection: isolated PgConnection) throws -> Bool {
        try connection.query(
            "SELECT to_regtype($1) IS NOT NULL", [.text(QualifiedName(schema: green.schema, name: type).sql)]
        ).single().value()
    }

    private func isArray(_ name: String, of type: String, on connection: isolated PgConnection) throws -> Bool {
        try connection.query(
            """
            SELECT EXISTS (SELECT FROM pg_type t JOIN pg_type a ON a.oid = t.typarray JOIN pg_namespace n ON n.oid = t.typnamespace
                WHERE n.nspname = $1 AND t.typname = $2 AND a.typname = $3)
            """, [.text(green.schema), .text(type), .text(name)]
        ).single().value()
    }

    private func name(of relation: UInt32, on connection: isolated PgConnection) throws -> String? {
        try connection.query(
            """
            SELECT a.typname FROM pg_class c JOIN pg_type t ON t.oid = c.reltype JOIN pg_type a ON a.oid = t.typarray WHERE c.oid = $1
            """, [.int(relation)]
        ).first?.value()
    }
}
