import PgConnection

/// What the views take over from the catalogs. The old table tells the owner and the privileges: the new one was made after it.
struct CompatFacts: Sendable, Equatable {
    var owner: String
    /// Quoted; who may do anything with the table, and so needs the way to the view.
    var grantees: [String] = []
    /// Give the view the table's privileges.
    var grants: [String] = []
    /// The defaults of the shape's columns by their names, without those that take numbers from a sequence.
    var defaults: [(column: String, value: String)] = []
    /// The live table's columns that take a default where there is no value: NOT NULL, with a default or an identity.
    var filled: Set<String> = []
    /// The live table's columns that may be set to what they are.
    var settable: Set<String> = []
    /// PostgreSQL 15 and later: the table's privileges and policies are those of whoever asks.
    var hasInvoker: Bool

    static func == (left: Self, right: Self) -> Bool {
        left.owner == right.owner && left.grantees == right.grantees && left.grants == right.grants
            && left.defaults.elementsEqual(right.defaults, by: ==) && left.filled == right.filled
            && left.settable == right.settable && left.hasInvoker == right.hasInvoker
    }

    /// Under an empty `search_path`.
    static func read(
        _ shape: CompatShape, sourceOID: UInt32, greenOID: UInt32, on connection: isolated PgConnection
    ) throws -> Self {
        let (shapeOID, liveOID) = shape.kind == .old ? (sourceOID, greenOID) : (greenOID, sourceOID)
        let table = try connection.query(
            "SELECT pg_get_userbyid(relowner) AS owner, relacl::text AS acl FROM pg_class WHERE oid = $1",
            [.int(sourceOID)]
        ).single()
        let owner: String = try table.get("owner")
        let list: String? = try table.optional("acl")
        let defaults = try connection.query(
            """
            SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) AS value FROM pg_attribute a
            JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = $1 AND a.attgenerated = '' AND NOT EXISTS (
                SELECT FROM pg_depend p JOIN pg_class s ON s.oid = p.refobjid AND s.relkind = 'S'
                WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass)
            ORDER BY a.attnum
            """, [.int(shapeOID)]
        ).rows.map { (column: try $0.get("attname", as: String.self), value: try $0.get("value", as: String.self)) }
        let columns = try connection.query(
            """
            SELECT attname, attnotnull AND (atthasdef OR attidentity <> '') AS filled, attidentity <> 'a' AND attgenerated = '' AS settable
            FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
            """, [.int(liveOID)]
        ).rows
        return Self(
            owner: owner,
            grantees: try list.map { list in
                var seen: Set<String> = [Quoting.identifier(owner)]
                return try PrivilegeEntry.read(list, on: connection).map(\.grantee).filter { seen.insert($0).inserted }
            } ?? [],
            grants: try Grants.ofRelation(sourceOID, shape.view, owner: owner, on: connection), defaults: defaults,
            filled: Set(try columns.filter { try $0.get("filled") }.map { try $0.get("attname", as: String.self) }),
            settable: Set(try columns.filter { try $0.get("settable") }.map { try $0.get("attname", as: String.self) }),
            hasInvoker: connection.serverVersion.major >= 15)
    }
}
