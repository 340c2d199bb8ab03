import PgConnection

@testable import LedgerWorkload

extension RandomTable {
    mutating func makeTriggers() {
        for _ in 0..<random.number(0...2) {
            let trigger = Quoting.identifier(constraintName("trigger"))
            dependants.append(
                "CREATE \(triggerDefinition(trigger)) EXECUTE FUNCTION s.touch(\(random.chance(30) ? "'it''s', '\\'" : ""))"
            )
            if random.chance(50), let state = random.choice(["DISABLE", "ENABLE REPLICA", "ENABLE ALWAYS"]) {
                dependants.append("ALTER TABLE \(sql) \(state) TRIGGER \(trigger)")
            }
            if random.chance(30) { dependants.append("COMMENT ON TRIGGER \(trigger) ON \(sql) IS 'trigger'") }
        }
    }

    private mutating func triggerDefinition(_ name: String) -> String {
        switch random.number(0...4) {
        case 0:
            let timing = random.choice(["BEFORE", "AFTER"]) ?? "AFTER"
            return
                "TRIGGER \(name) \(timing) \(random.choice(["TRUNCATE", "INSERT OR DELETE", "UPDATE"]) ?? "UPDATE") ON \(sql) FOR EACH STATEMENT"
        case 1:
            return
                "TRIGGER \(name) AFTER UPDATE ON \(sql) REFERENCING OLD TABLE AS \"old T\" NEW TABLE AS new_t FOR EACH STATEMENT"
        case 2:
            return
                "CONSTRAINT TRIGGER \(name) AFTER INSERT OR UPDATE ON \(sql) DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        case 3:
            guard let column = use({ $0.generated == nil }).map({ columns[$0].quoted }) else { fallthrough }
            return "TRIGGER \(name) BEFORE UPDATE OF \(column) ON \(sql) FOR EACH ROW WHEN (new.\(column) IS NOT NULL)"
        default: return "TRIGGER \(name) BEFORE INSERT OR UPDATE OR DELETE ON \(sql) FOR EACH ROW"
        }
    }

    mutating func makePolicies() {
        guard random.chance(30) else { return }
        dependants.append(
            "ALTER TABLE \(sql) ENABLE ROW LEVEL SECURITY" + (random.chance(50) ? ", FORCE ROW LEVEL SECURITY" : ""))
        for _ in 0..<random.number(0...3) {
            guard let column = use({ $0.generated != "VIRTUAL" }).map({ columns[$0].quoted }) else { return }
            let policy = Quoting.identifier(constraintName("policy"))
            let condition =
                random.chance(40)
                ? "EXISTS (SELECT FROM \(sql) o WHERE o.\(column) IS NOT NULL)"
                : "\(column) IS NOT NULL OR current_user = 'sink_reader'"
            let roles = random.choice(["PUBLIC", "sink_reader, \"sink Clerk\"", "CURRENT_USER"]) ?? "PUBLIC"
            let kind = random.choice(["PERMISSIVE", "RESTRICTIVE"]) ?? "PERMISSIVE"
            switch random.number(0...3) {
            case 0:
                dependants.append(
                    "CREATE POLICY \(policy) ON \(sql) AS \(kind) FOR INSERT TO \(roles) WITH CHECK (\(condition))")
            case 1:
                dependants.append(
                    "CREATE POLICY \(policy) ON \(sql) AS \(kind) FOR SELECT TO \(roles) USING (\(condition))")
            default:
                dependants.append(
                    "CREATE POLICY \(policy) ON \(sql) AS \(kind) TO \(roles) USING (\(condition)) WITH CHECK (\(condition))"
                )
            }
            if random.chance(30) { dependants.append("COMMENT ON POLICY \(policy) ON \(sql) IS 'policy'") }
        }
    }

    mutating func makePublications() {
        guard random.chance(25) else { return }
        let publication = Quoting.identifier(constraintName("publication"))
        // What a column list or a filter names must be a part of the replica identity, unless only INSERT is published.
        guard version >= 15, random.chance(60),
            let column = use({ $0.generated == nil && $0.type.isInteger }).map({ columns[$0].quoted })
        else {
            dependants.append("CREATE PUBLICATION \(publication) FOR TABLE \(sql)")
            return
        }
        let filter = random.chance(50) ? " WHERE (\(column) > 0)" : ""
        dependants.append(
            "CREATE PUBLICATION \(publication) FOR TABLE \(sql) (\(column))\(filter) WITH (publish = 'insert')")
    }
}
