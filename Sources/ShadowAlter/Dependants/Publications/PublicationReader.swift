import PgConnection

/// The user's publications. The new table takes the old one's place in them in the same transaction in which it takes its name, so that
/// every change is published once, under the name that subscribers know.
///
/// What that transaction has written to the new table before is not published: the decoder sees the catalogs as they were then.
struct PublicationReader: DependantReader {
    func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant] {
        var refusals: [Refusal] = []
        var found: [Dependant] = []
        for table in tables {
            let memberships = try PublicationMembership.read(table.sourceOID, on: connection)
            let wide = try WidePublication.read(table.sourceOID, on: connection)
            for membership in memberships {
                refusals += Self.refusals(table, membership)
                found.append(
                    Dependant(
                        kind: .publication, name: "publication \(membership.publication.shown) of \(table.source)",
                        remove: [membership.drop(table.source)], restore: [membership.add(table.live)]))
            }
            // Nothing is to be done for these, but one more or less must not go unnoticed.
            for publication in wide where !table.isInTree {
                found.append(
                    Dependant(
                        kind: .publication, name: "\(publication.description), of \(table.source)", remove: [],
                        restore: []))
            }
            if try Self.becomesPartitioned(table, on: connection) {
                refusals += (memberships + wide.map(\.membership)).filter { !$0.publication.viaRoot }.map {
                    Self.partitions(table, $0.publication)
                }
            }
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
        return found
    }

    private static func refusals(_ table: MigratedTable, _ membership: PublicationMembership) -> [Refusal] {
        let name = membership.publication.shown
        var refusals = table.refusals(
            for: membership.mentioned, usedBy: "publication \(name)", code: "publication-column",
            fix: "take the table out of it first: \(membership.drop(table.source));")
        if let owner = membership.publication.foreignOwner {
            refusals.append(
                Refusal(
                    code: "publication-owner", object: table.source.description,
                    what: "is in the publication \(name) of \(owner), whose privileges our role does not have",
                    why: "the new table takes the old one's place in it at the cut-over, which its owner alone may do",
                    fix: "GRANT \(owner) TO our role, or connect as \(owner) or as a superuser"))
        }
        return refusals
    }

    private static func partitions(
        _ table: MigratedTable, _ publication: PublicationMembership.Publication
    ) -> Refusal {
        Refusal(
            code: "publication-partitions", object: table.source.description,
            what: "becomes a partitioned table, and the publication \(publication.shown) does not publish via the root",
            why:
                "it would publish the partitions under their own names, and subscribers that lack these would stop with an error",
            fix:
                "ALTER PUBLICATION \(publication.shown) SET (publish_via_partition_root = true);  -- or take the table out of it"
        )
    }

    private static func becomesPartitioned(
        _ table: MigratedTable, on connection: isolated PgConnection
    ) throws -> Bool {
        try connection.query(
            """
            SELECT EXISTS (SELECT FROM pg_class WHERE oid = $1 AND relkind = 'p')
                AND NOT EXISTS (SELECT FROM pg_class WHERE oid = $2 AND relkind = 'p')
            """, [.int(table.greenOID), .int(table.sourceOID)]
        ).single().value()
    }

    func tryOut(_ tables: [MigratedTable], on connection: isolated PgConnection) throws {
        var refusals: [Refusal] = []
        for table in tables {
            let isNew = try ReplicaIdentity.differs(table, on: connection)
            let listed = try PublicationMembership.read(table.sourceOID, on: connection)
            let wide = isNew ? try WidePublication.read(table.sourceOID, on: connection).map(\.membership) : []
            for membership in listed + wide {
                let trial = "shadow_alter_trial_\(connection.backendPID)"
                let statements =
                    [membership.trial(table.green, name: trial)]
                    + (isNew ? try ReplicaIdentity.uses(of: table, membership.publication, on: connection) : [])
                guard let error = try connection.rejection(of: statements) else { continue }
                refusals.append(Self.refusal(table, membership, isListed: listed.contains(membership), error))
            }
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
    }

    private static func refusal(
        _ table: MigratedTable, _ membership: PublicationMembership, isListed: Bool, _ error: PgError
    ) -> Refusal {
        Refusal(
            code: "publication-not-possible", object: table.source.description,
            what:
                "the publication \(membership.publication.shown) cannot have the table after the change as it has it now",
            why: "PostgreSQL says: \(error.message)\(error.detail.map { " (\($0))" } ?? "")",
            fix: isListed
                ? "take the table out of it first: \(membership.drop(table.source));"
                : "keep the columns of the replica identity")
    }
}

extension PublicationReader {
    /// For a change that PostgreSQL makes itself, with the publications in place: what they use must stay.
    static func checkNative(_ tables: [MigratedTable], on connection: isolated PgConnection) throws {
        let refusals = try tables.flatMap { table in
            try PublicationMembership.read(table.sourceOID, on: connection).flatMap { membership in
                table.refusals(
                    for: membership.mentioned.filter { table.greenName(of: $0) == nil },
                    usedBy: "publication \(membership.publication.shown)", code: "publication-column",
                    fix: "take the table out of it first: \(membership.drop(table.source));")
            }
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
    }
}
