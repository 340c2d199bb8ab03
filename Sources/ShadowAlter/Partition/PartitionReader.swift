import PgConnection

/// A table's place in a partitioned table: the old table is detached, the new one is attached, both without reading a row.
struct PartitionReader: DependantReader {
    func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant] {
        try tables.compactMap { table in
            // Otherwise both are exchanged together.
            guard !table.isInTree, let membership = try PartitionMembership.read(table.sourceOID, on: connection) else {
                return nil
            }
            return try dependant(table, membership, on: connection)
        }
    }

    private func dependant(
        _ table: MigratedTable, _ membership: PartitionMembership, on connection: isolated PgConnection
    ) throws -> Dependant {
        let parent = membership.parent.sql
        let proof =
            membership.constraint == nil
            ? [] : ["ALTER TABLE \(table.live.sql) DROP CONSTRAINT \(PartitionMembership.proof)"]
        var dependant = Dependant(
            kind: .partition, name: "partition \(table.source) of \(membership.parent)",
            remove: ["ALTER TABLE \(parent) DETACH PARTITION \(table.source.sql)"],
            restore: ["ALTER TABLE \(parent) ATTACH PARTITION \(table.live.sql) \(membership.bound)"] + proof)
        dependant.locks =
            [
                RelationLock(
                    oid: membership.parentOID, relation: membership.parent, kind: .table, depth: membership.parentDepth)
            ] + (membership.defaultPartition?.locks ?? [])
        dependant.relations = [membership.parentOID]
        dependant.facts = [membership.constraint ?? ""] + (try proofs(of: membership, on: connection))
        return dependant
    }

    /// What makes it unnecessary to read the default partition: that it is small, or its CHECKs.
    private func proofs(of membership: PartitionMembership, on connection: isolated PgConnection) throws -> [String] {
        guard let partition = membership.defaultPartition, partition.bytes > PartitionTrial.bytesToScan else {
            return []
        }
        return ["default partition \(partition.name)"]
            + (try ConstraintReader.checks(of: partition.oid, on: connection).map(\.definition))
    }
}

/// A partitioned table's row triggers are on its partitions, too: they come with the attachment, in the state that they have above. What a
/// partition has of its own is given back to it.
struct PartitionTriggerReader: DependantReader {
    func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant] {
        try tables.compactMap { table in
            let statements = try triggers(of: table, on: connection)
            guard !statements.isEmpty else { return nil }
            return Dependant(
                kind: .trigger, name: "states and comments of the inherited triggers of \(table.source)", remove: [],
                restore: statements)
        }
    }

    /// ATTACH makes the partitioned table's row triggers on the partition, too, and gives them the state that they have there.
    private func triggers(of table: MigratedTable, on connection: isolated PgConnection) throws -> [String] {
        try connection.query(
            """
            SELECT t.tgname, nullif(t.tgenabled, p.tgenabled)::text AS enabled, obj_description(t.oid, 'pg_trigger') AS comment
            FROM pg_trigger t JOIN pg_trigger p ON p.oid = t.tgparentid
            WHERE t.tgrelid = $1 AND (t.tgconstraint = 0 OR NOT t.tgisinternal) ORDER BY t.tgname
            """, [.int(table.sourceOID)]
        ).rows.flatMap { row in
            let name = Quoting.identifier(try row.get("tgname", as: String.self))
            var statements: [String] = []
            if let state: String = try row.optional("enabled") {
                let verb = ["D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"][state] ?? "ENABLE"
                statements.append("ALTER TABLE \(table.live.sql) \(verb) TRIGGER \(name)")
            }
            if let comment: String = try row.optional("comment") {
                statements.append("COMMENT ON TRIGGER \(name) ON \(table.live.sql) IS \(Quoting.literal(comment))")
            }
            return statements
        }
    }
}
