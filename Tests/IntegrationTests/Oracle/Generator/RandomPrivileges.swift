import PgConnection

@testable import LedgerWorkload

extension RandomTable {
    mutating func makeStatistics() {
        if random.chance(20), let column = use({ $0.type.isInteger && $0.generated == nil }) {
            let expression = "\(Quoting.identifier(schema)).\(Quoting.identifier(name("stat")))"
            setup.append("CREATE STATISTICS \(expression) ON (\(columns[column].quoted) + 1) FROM \(sql)")
        }
        guard random.chance(30) else { return }
        let plain = live.filter { $0.type.isBtree && $0.generated == nil }
        guard plain.count >= 2 else { return }
        let statistics = "\(Quoting.identifier(schema)).\(Quoting.identifier(name("stat")))"
        let kinds = random.choice(["", " (ndistinct)", " (dependencies, mcv)"]) ?? ""
        for column in plain.prefix(2) {
            if let index = columns.firstIndex(where: { $0.name == column.name }) { columns[index].isUsed = true }
        }
        setup.append("CREATE STATISTICS \(statistics)\(kinds) ON \(plain[0].quoted), \(plain[1].quoted) FROM \(sql)")
        if random.chance(50) { setup.append("ALTER STATISTICS \(statistics) SET STATISTICS 33") }
        if random.chance(50) { setup.append("COMMENT ON STATISTICS \(statistics) IS 'stat'") }
        if random.chance(30) { setup.append("ALTER STATISTICS \(statistics) OWNER TO sink_manager") }
    }

    mutating func makePrivileges() {
        let roles = ["sink_manager", "\"sink Clerk\"", "sink_reader", "PUBLIC"]
        if random.chance(40) { setup.append("ALTER TABLE \(sql) OWNER TO sink_owner") }
        for _ in 0..<random.number(0...3) {
            let privileges =
                random.choice(["SELECT", "INSERT, UPDATE", "ALL", "TRUNCATE, REFERENCES, TRIGGER"]) ?? "SELECT"
            let role = random.choice(roles) ?? "PUBLIC"
            let option = role != "PUBLIC" && random.chance(40) ? " WITH GRANT OPTION" : ""
            setup.append("GRANT \(privileges) ON \(sql) TO \(role)\(option)")
            if !option.isEmpty, privileges != "TRUNCATE, REFERENCES, TRIGGER" {
                let passed = privileges == "ALL" ? "SELECT" : privileges
                setup.append("GRANT USAGE ON SCHEMA \(Quoting.identifier(schema)) TO \(role)")
                setup.append("SET ROLE \(role); GRANT \(passed) ON \(sql) TO sink_intruder; RESET ROLE")
            }
        }
        if random.chance(10) { setup.append("GRANT USAGE ON TYPE \(sql) TO sink_reader") }
        if random.chance(10) { setup.append("COMMENT ON TYPE \(sql) IS 'row type'") }
        for column in live where random.chance(8) {
            let option = random.chance(30) ? " WITH GRANT OPTION" : ""
            setup.append("GRANT SELECT (\(column.quoted)), UPDATE (\(column.quoted)) ON \(sql) TO sink_reader\(option)")
        }
        if random.chance(10) { setup.append("REVOKE ALL ON \(sql) FROM CURRENT_USER, sink_owner") }
        // They are for what is made from now on.
        for object in ["TABLES", "SEQUENCES", "TYPES", "SCHEMAS"] where random.chance(40) {
            setup.append("ALTER DEFAULT PRIVILEGES GRANT ALL ON \(object) TO sink_intruder")
            if object != "SCHEMAS", random.chance(50) {
                setup.append(
                    "ALTER DEFAULT PRIVILEGES FOR ROLE sink_owner IN SCHEMA \(Quoting.identifier(schema)) GRANT ALL ON \(object) TO \"sink Clerk\""
                )
            }
        }
    }
}
