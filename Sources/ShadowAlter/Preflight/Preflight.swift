import PgConnection

/// Everything that can be checked before anything is created: by reading catalogs, and nothing else.
///
/// No lock is taken on the table beyond what reading catalogs takes, and nothing is written. Whatever needs the clone
/// (the user's clauses, the key, the names of our schemas) is the planner's to refuse.
public enum Preflight {
    /// To add a check: a file with the check, and its line here.
    static let serverChecks: [any ServerCheck] = [
        VersionCheck(),
        RecoveryCheck(),
        WALLevelCheck(),
        SlotCheck(),
        WALSenderCheck(),
        OutputPluginCheck(),
        SynchronousStandbyCheck(),
        ReplicationRoleCheck(),
        DatabasePrivilegeCheck(),
    ]

    /// What they refuse is not asked any further: of a view, an index or a catalog the other questions make no sense.
    static let kindChecks: [any TableCheck] = [
        RelationKindCheck(),
        SystemTableCheck(),
    ]

    /// In the order in which their refusals are shown.
    static let tableChecks: [any TableCheck] = [
        PersistenceCheck(),
        AccessMethodCheck(),
        OwnershipCheck(),
        SchemaPrivilegeCheck(),
        OtherMigrationCheck(),
        PartitionCheck(),
        InheritanceCheck(),
        TypedTableCheck(),
        ExtensionMemberCheck(),
        ReplicaIdentityCheck(),
        InvalidIndexCheck(),
        PublicationCheck(),
        SubscriptionCheck(),
        TriggerCheck(),
        RowSecurityCheck(),
        ForeignKeyNeighbourCheck(),
        RowTypeCheck(),
        SequenceCheck(),
        SelfReferenceCheck(),
        SecurityLabelCheck(),
    ]

    static let tableWarnings: [any TableWarning] = [
        WraparoundWarning(),
        NeverAnalyzedWarning(),
    ]

    /// All refusals, not only the first one. A script's tables are not looked at here: the planner finds out which they
    /// are, and calls `check(table:)`.
    ///
    /// Throws `PgError`. When PostgreSQL cannot parse the table's name, or refuses to look it up, the transaction that
    /// this runs in has failed afterwards and can only be rolled back.
    static func check(_ request: MigrationRequest, on connection: isolated PgConnection) throws -> [Refusal] {
        // The other checks read catalogs whose columns we know for these versions only.
        let version = try VersionCheck().refusals(on: connection)
        guard version.isEmpty else { return version }
        let server = try serverChecks.flatMap { try $0.refusals(on: connection) }
        guard case .alter(let table, _) = request.change else { return server }
        switch try TableLookup.resolve(table, on: connection) {
        case .refused(let refusal):
            return server + [refusal]
        case .found(let oid):
            return try server
                + check(
                    table: oid, migration: request.name, allowing: request.allowedPublications, on: connection)
        }
    }

    /// All refusals for a table that is known by its OID.
    ///
    /// - Parameter migration: the name of the migration to be started, which is no obstacle to itself; nil: the
    ///   table's name.
    static func check(
        table oid: UInt32, migration: String? = nil, allowing publications: [String] = [],
        on connection: isolated PgConnection
    ) throws -> [Refusal] {
        guard var table = try InspectedTable.read(oid, migration: migration, on: connection) else {
            return [
                Refusal(
                    code: "no-such-table", object: "the relation with the OID \(oid)", what: "does not exist any more",
                    why: "somebody has dropped it since its name was looked up", fix: "run the same command again")
            ]
        }
        table.allowedPublications = publications
        for check in kindChecks {
            let findings = try check.findings(for: table, on: connection)
            guard findings.isEmpty else { return findings.map(\.refusal) }
        }
        if table.kind == "p" { return try check(tree: table, on: connection) }
        return try check(table, by: tableChecks, on: connection)
    }

    private static func check(
        _ table: InspectedTable, by checks: [any TableCheck], on connection: isolated PgConnection
    ) throws -> [Refusal] {
        var findings = try checks.flatMap { try $0.findings(for: table, on: connection) }
        findings += try DependentObjectCheck(known: Set(findings.flatMap(\.covers))).findings(
            for: table, on: connection)
        return findings.map(\.refusal)
    }

    /// A partitioned table, and everything below it: what has no rows has no key, and what is in the tree is exchanged with it.
    private static func check(tree root: InspectedTable, on connection: isolated PgConnection) throws -> [Refusal] {
        let inTree = tableChecks.filter { !($0 is PartitionCheck) }
        let parents = inTree.filter {
            !($0 is AccessMethodCheck || $0 is ReplicaIdentityCheck || $0 is InvalidIndexCheck
                || $0 is InheritanceCheck)
        }
        var refusals = try TreeCheck().findings(for: root, on: connection).map(\.refusal)
        for node in try PartitionTree.read(root.oid, on: connection).nodes where node.kind != "f" {
            guard var table = try InspectedTable.read(node.oid, migration: root.migration, on: connection) else {
                continue
            }
            table.allowedPublications = root.allowedPublications
            refusals += try check(table, by: node.kind == "p" ? parents : inTree, on: connection)
        }
        return refusals
    }

    /// What stops nothing, and what the operator of this table should know beforehand.
    static func warnings(table oid: UInt32, on connection: isolated PgConnection) throws -> [String] {
        guard let table = try InspectedTable.read(oid, on: connection) else { return [] }
        return try tableWarnings.flatMap { try $0.warnings(for: table, on: connection) }
    }
}
