import PgConnection

/// Makes a complete copy of a table's definition, without its rows, in the green schema and under its final names.
///
/// `LIKE … INCLUDING ALL` gives columns, defaults, identity, generation, storage and compression; the rest is taken from the catalogs one by
/// one, because LIKE renames indexes and constraints and leaves out privileges, owner, options, comments, statistics targets and replica identity.
struct TableClone: Sendable {
    let source: QualifiedName
    let sourceOID: UInt32
    let green: QualifiedName
    var standing = Standing.alone

    enum Standing: Sendable, Equatable {
        /// A partition gets a CHECK that proves where it belongs.
        case alone
        /// Together with its whole tree. `key` is that of a partitioned table, as PARTITION BY takes it.
        case inTree(key: String?)
    }

    /// Creates the clone and returns its OID. Takes ACCESS SHARE on the source.
    func create(on connection: isolated PgConnection) throws -> UInt32 {
        let row = try connection.query(
            """
            SELECT a.amname, coalesce(t.spcname, '') AS tablespace, pg_get_userbyid(c.relowner) AS owner,
                pg_get_userbyid(c.relowner) = current_user AS is_ours, c.relispartition
            FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.oid = $1
            """, [.int(sourceOID)]
        ).single()
        let tablespace: String = try row.get("tablespace")
        // From 17 on the identity of a partition's column is the root's, and comes and goes with the attachment.
        let isPartition: Bool = try row.get("relispartition")
        let identity = isPartition && connection.serverVersion.major >= 17 ? " EXCLUDING IDENTITY" : ""
        let method: String? = try row.optional("amname")
        let arrayType = ArrayTypeName(sourceOID: sourceOID, green: green)
        let occupied = try arrayType.occupy(on: connection)
        try connection.query("SELECT set_config('default_tablespace', $1, true)", [.text(tablespace)])
        try connection.execute(
            """
            CREATE TABLE \(green.sql) (LIKE \(source.sql) INCLUDING ALL EXCLUDING INDEXES EXCLUDING CONSTRAINTS EXCLUDING STATISTICS
            EXCLUDING COMMENTS\(identity))\(partitioning)\(method.map { " USING \(Quoting.identifier($0))" } ?? "")
            """)
        try connection.execute("SET LOCAL default_tablespace = ''")
        let oid: UInt32 = try connection.query("SELECT $1::regclass::oid", [.text(green.sql)]).single().value()
        try arrayType.copy(to: oid, occupied, on: connection)
        try ArrayDimensions(sourceOID: sourceOID, green: green).copy(on: connection)
        try ColumnProperties(sourceOID: sourceOID, green: green).copy(on: connection)
        try IdentitySequences(sourceOID: sourceOID, greenOID: oid).rename(on: connection)
        try TableProperties(sourceOID: sourceOID, green: green).copy(on: connection)
        for constraint in try ConstraintReader.unlike(sourceOID, on: connection) {
            try connection.execute(constraint.drop(from: green))
            try connection.execute(constraint.add(to: green))
        }
        for constraint in try ConstraintReader.checks(of: sourceOID, on: connection) {
            try connection.execute(constraint.add(to: green))
        }
        if standing == .alone, let membership = try PartitionMembership.read(sourceOID, on: connection),
            let constraint = membership.constraint
        {
            try connection.execute(
                "ALTER TABLE \(green.sql) ADD CONSTRAINT \(PartitionMembership.proof) CHECK (\(constraint))")
        }
        if partitioning.isEmpty { try createIndexes(on: connection) }
        try ExtendedStatistics(sourceOID: sourceOID, source: source, green: green).copy(on: connection)
        if try !row.get("is_ours", as: Bool.self) {
            let owner = Quoting.identifier(try row.get("owner", as: String.self))
            try connection.execute("GRANT USAGE, CREATE ON SCHEMA \(Quoting.identifier(green.schema)) TO \(owner)")
            try connection.execute("ALTER TABLE \(green.sql) OWNER TO \(owner)")
        }
        try Privileges(sourceOID: sourceOID, greenOID: oid).copy(on: connection)
        return oid
    }

    private var partitioning: String {
        guard case .inTree(let key?) = standing else { return "" }
        return " PARTITION BY \(key)"
    }

    private func createIndexes(on connection: isolated PgConnection) throws {
        for index in try IndexReader.read(sourceOID, on: connection) {
            try connection.execute("SET LOCAL default_tablespace = \(Quoting.literal(index.tablespace))")
            if let definition = index.definition(on: green) { try connection.execute(definition) }
            try connection.execute("SET LOCAL default_tablespace = ''")
            for statement in index.finishing(on: green) { try connection.execute(statement) }
        }
    }
}
