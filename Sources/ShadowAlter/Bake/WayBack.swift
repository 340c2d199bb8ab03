import PgConnection
import PgReplication

/// The way back: a migration of its own, from the new tables, which are live, to the old ones, which have all their rows already.
///
/// Nothing is built for it: the same stream tells which rows of the new tables change, and `refresh` with the inverse mapping makes the old
/// tables follow. A rollback is its cut-over.
enum WayBack {
    /// What can be said of it before the exchange: everything but the catalogs' state, and what will hang on the tables then.
    ///
    /// Throws `Refused` where a table has none.
    ///
    /// - Parameters:
    ///   - liveOIDs: the new tables', in the order of `forward.tables`.
    ///   - parentOIDs: those of the partitioned ones above them, in the order of `forward.parents`.
    static func plan(_ forward: MigrationPlan, liveOIDs: [UInt32], parentOIDs: [UInt32]) throws -> MigrationPlan {
        let refusals = Self.refusals(forward)
        guard refusals.isEmpty else { throw Refused(refusals) }
        var plan = MigrationPlan(
            name: forward.name, request: forward.request, strategy: .shadow,
            strategyReason: "it is the way back", greenSchema: forward.blueSchema, blueSchema: forward.greenSchema,
            searchPath: forward.searchPath, timeZone: forward.timeZone, nativeStatements: [],
            tables: try zip(forward.tables, liveOIDs).map { table, oid in
                try table.reversed(blueSchema: forward.blueSchema, liveOID: oid)
            }, dependants: [], warnings: [])
        // The columns have the same names throughout a tree; each partition may have them in an order of its own.
        plan.parents = zip(forward.parents, parentOIDs).map { parent, oid in
            parent.reversed(blueSchema: forward.blueSchema, liveOID: oid, columns: plan.tables.first?.columns ?? [])
        }
        return plan
    }

    /// Why a migration cannot go back; empty when it can.
    static func refusals(_ plan: MigrationPlan) -> [Refusal] {
        if plan.strategy == .native {
            return [
                refusal(
                    plan.name, "PostgreSQL makes this change in its catalogs alone, and no old table is left",
                    "there would be nothing to go back to",
                    "leave out --bake, or take --strategy shadow to build a new table all the same")
            ]
        }
        let partitions = plan.dependants.filter { $0.kind == .partition }.map { partition in
            refusal(
                partition.name, "it is exchanged without its partitioned table",
                "to attach the old one again, PostgreSQL would have to read all of it under the lock",
                "leave out --bake")
        }
        return partitions
            + plan.tables.flatMap { table -> [Refusal] in
                if table.isPartitioned {
                    return [
                        refusal(
                            table.source.description, "it becomes partitioned",
                            "the way back of partitioned tables is not supported", "leave out --bake")
                    ]
                }
                return table.inverse.obstacles.map { obstacle in
                    refusal(
                        table.source.description, obstacle, "the old table could not follow the new one",
                        "say how, by --reverse COLUMN=EXPRESSION, or leave out --bake")
                }
            }
    }

    private static func refusal(_ object: String, _ what: String, _ why: String, _ fix: String) -> Refusal {
        Refusal(code: "no-way-back", object: object, what: what, why: why, fix: fix)
    }

    /// The publication of the forward way becomes that of the way back: to be executed by the exchange itself, when the new tables have their
    /// names, so that the stream goes over from the old tables to the new ones with its commit.
    ///
    /// Takes SHARE UPDATE EXCLUSIVE on the tables, which the exchange has locked anyway.
    static func redirect(_ streamName: String, to plan: MigrationPlan) -> String {
        Publication.setTablesSQL(name: streamName, tables: plan.tables.map(\.published))
    }
}

extension TablePlan {
    /// Its entry in our own publication.
    var published: Publication.Table {
        Publication.Table(source, columns: publishesWholeRows ? nil : key.map(\.source))
    }
}
