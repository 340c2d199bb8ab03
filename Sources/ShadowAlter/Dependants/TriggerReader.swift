import PgConnection

/// The triggers of the tables, in whatever state they are. On the new table they are made in the cut-over and not before: until then its rows
/// are written by the copy.
///
/// Those that a partitioned table has made on its partitions come and go with the partition.
struct TriggerReader: DependantReader {
    func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant] {
        var refusals: [Refusal] = []
        var found: [Dependant] = []
        for table in tables {
            for trigger in try Trigger.read(table.sourceOID, on: connection) {
                refusals += table.refusals(
                    for: trigger.columns, usedBy: "trigger \(trigger.name)", code: "trigger-column",
                    fix: "drop the trigger first: \(trigger.drop(on: table.source));")
                found.append(dependant(trigger, of: table))
            }
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
        return found
    }

    private func dependant(_ trigger: Trigger, of table: MigratedTable) -> Dependant {
        var dependant = Dependant(
            kind: .trigger, name: "trigger \(trigger.name) on \(table.source)",
            remove: [trigger.drop(on: table.source)],
            restore: [trigger.definition] + trigger.properties(on: table.live))
        dependant.functions = trigger.functions
        return dependant
    }

    func tryOut(_ tables: [MigratedTable], on connection: isolated PgConnection) throws {
        let rebinding = Rebinding(tables: tables)
        var refusals: [Refusal] = []
        for table in tables {
            let triggers = try rebinding.printing(on: connection) { connection in
                try Trigger.read(table.sourceOID, pretty: true, on: connection)
            }
            for trigger in triggers {
                let error = try rebinding.reading(on: connection) { connection in
                    try connection.rejection(of: [trigger.definition] + trigger.properties(on: table.green))
                }
                guard let error else { continue }
                refusals.append(
                    Refusal(
                        code: "trigger-not-possible", object: table.source.description,
                        what: "the trigger \(trigger.name) cannot be made after the change",
                        why: "PostgreSQL says: \(error.message)\(error.detail.map { " (\($0))" } ?? "")",
                        fix: "drop the trigger first: \(trigger.drop(on: table.source));"))
            }
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
    }
}
