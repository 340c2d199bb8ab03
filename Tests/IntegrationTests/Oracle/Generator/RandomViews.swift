import PgConnection

@testable import LedgerWorkload

extension RandomTable {
    mutating func makeViews() {
        guard random.chance(40) else { return }
        let names = viewColumns()
        let list = names.joined(separator: ", ")
        let view = "s.\(Quoting.identifier(name("view")))"
        let options =
            random.choice([
                "", " WITH (security_barrier)", " WITH (check_option = local)",
                version >= 15 ? " WITH (security_invoker = true)" : "",
            ]) ?? ""
        dependants.append("CREATE VIEW \(view)\(options) AS SELECT \(list) FROM \(sql)")
        decorate(view, "VIEW", names)
        if random.chance(50) {
            let outer = "s.\(Quoting.identifier(name("view")))"
            dependants.append(
                "CREATE VIEW \(outer) AS SELECT v.*, row_number() OVER () AS \"row Number\" FROM \(view) v")
            decorate(outer, "VIEW", names)
        }
        if KitchenSink.Section.carried.contains(.materializedViews), random.chance(40) {
            makeMaterializedView(list, names)
        }
        if random.chance(20) {
            let instead = Quoting.identifier(constraintName("instead"))
            dependants.append(
                "CREATE TRIGGER \(instead) INSTEAD OF UPDATE ON \(view) FOR EACH ROW EXECUTE FUNCTION s.touch()")
        }
    }

    private mutating func makeMaterializedView(_ list: String, _ names: [String]) {
        let view = "s.\(Quoting.identifier(name("sums")))"
        let data = random.chance(20) ? " WITH NO DATA" : ""
        dependants.append(
            "CREATE MATERIALIZED VIEW \(view)\(random.chance(40) ? " WITH (fillfactor = 66)" : "") AS SELECT count(*) AS n, \(list) FROM \(sql) GROUP BY \(list)\(data)"
        )
        dependants.append("CREATE INDEX \(Quoting.identifier(name("mi"))) ON \(view) (n DESC)")
        decorate(view, "MATERIALIZED VIEW", names)
        if random.chance(40) {
            dependants.append("CREATE VIEW s.\(Quoting.identifier(name("above"))) AS SELECT n FROM \(view)")
        }
    }

    /// Columns that can be grouped by; the table's change may not drop or rename them.
    private mutating func viewColumns() -> [String] {
        var found: [Int] = []
        for _ in 0..<random.number(1...3) {
            if let column = use({ $0.type.isBtree }), !found.contains(column) { found.append(column) }
        }
        return found.map { columns[$0].quoted }
    }

    private mutating func decorate(_ view: String, _ kind: String, _ names: [String]) {
        if random.chance(40) {
            dependants.append("ALTER \(kind) \(view) OWNER TO sink_manager; GRANT SELECT ON \(sql) TO sink_manager")
        }
        if random.chance(40) { dependants.append("GRANT SELECT ON \(view) TO sink_reader WITH GRANT OPTION") }
        if random.chance(40) { dependants.append("COMMENT ON \(kind) \(view) IS 'it''s a view'") }
        if random.chance(30), let name = names.first {
            dependants.append("COMMENT ON COLUMN \(view).\(name) IS 'column of a view'")
            dependants.append("GRANT UPDATE (\(name)) ON \(view) TO \"sink Clerk\"")
        }
    }

    mutating func makeFunctions() {
        guard random.chance(30) else { return }
        dependants.append(
            "CREATE FUNCTION s.counted() RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*) FROM \(sql); END"
        )
        dependants.append(
            "CREATE FUNCTION s.\"row Type\"(\(sql)) RETURNS text LANGUAGE sql STABLE COST 3 AS 'SELECT $1::text'")
        if random.chance(50) {
            dependants.append(
                "COMMENT ON FUNCTION s.counted() IS 'function'; REVOKE ALL ON FUNCTION s.counted() FROM PUBLIC")
        }
    }

    mutating func makeRules() {
        guard random.chance(20) else { return }
        // What a rule makes of an INSERT that reads from a DELETE is not accepted by PostgreSQL.
        isReferenced = true
        let rule = Quoting.identifier(constraintName("rule"))
        guard let column = use({ $0.type.isInteger && $0.generated == nil }).map({ columns[$0].quoted }) else { return }
        dependants.append(
            "CREATE RULE \(rule) AS ON UPDATE TO \(sql) WHERE old.\(column) IS NULL DO ALSO NOTIFY \"a Channel\"")
        if random.chance(50) {
            dependants.append(
                "ALTER TABLE \(sql) \(random.choice(["DISABLE", "ENABLE ALWAYS", "ENABLE REPLICA"]) ?? "DISABLE") RULE \(rule)"
            )
        }
        if random.chance(50) { dependants.append("COMMENT ON RULE \(rule) ON \(sql) IS 'rule'") }
    }
}
