import PgConnection

/// Looks at the server, the database and the role.
protocol ServerCheck: Sendable {
    func refusals(on connection: isolated PgConnection) throws -> [Refusal]
}

/// Looks at one ordinary table.
protocol TableCheck: Sendable {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding]
}

/// Looks at one ordinary table for what is worth a word, and no refusal.
protocol TableWarning: Sendable {
    func warnings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [String]
}

/// What a check has found on a table.
struct Finding: Sendable {
    let refusal: Refusal
    /// The objects that this refusal speaks of. What depends on the table and is covered by no finding is reported by
    /// `DependentObjectCheck`.
    let covers: [CatalogAddress]

    init(_ refusal: Refusal, covers: [CatalogAddress] = []) {
        self.refusal = refusal
        self.covers = covers
    }
}

/// An object as `pg_depend` names it, without its columns.
struct CatalogAddress: Hashable, Sendable {
    let classID: UInt32
    let objectID: UInt32
}

extension CatalogAddress {
    /// From the columns `classid` and `objid` of a row.
    init(_ row: PgRow) throws {
        self.init(classID: try row.get("classid"), objectID: try row.get("objid"))
    }
}

extension Refusal {
    /// For what the design carries over and this version does not yet.
    ///
    /// - Parameters:
    ///   - these: for example `triggers`.
    ///   - remove: the command that takes the object out of the way.
    static func notCarriedOver(code: String, object: String, what: String, these: String, remove: String) -> Self {
        Self(
            code: code, object: object, what: what,
            why:
                "this version does not carry \(these) over to the new table; after the swap it would be left with the old one",
            fix:
                "\(remove);  -- for the duration, and recreate it afterwards; or wait for a version that carries it over"
        )
    }
}
