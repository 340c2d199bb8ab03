import PgConnection

@testable import LedgerWorkload

/// What hangs on a random table: foreign keys, triggers, policies, views. They are made after the twin's change, so that nothing stands in
/// PostgreSQL's own way; they use no column that a change may drop.
extension RandomTable {
    mutating func makeDependants() {
        let carried = KitchenSink.Section.carried
        if carried.contains(.functions) { makeFunctions() }
        if carried.contains(.rules) { makeRules() }
        if carried.contains(.triggers) { makeTriggers() }
        if carried.contains(.rowSecurity) { makePolicies() }
        if carried.contains(.publications) { makePublications() }
        if carried.contains(.views) { makeViews() }
        if carried.contains(.foreignKeys), random.chance(30) { makeInboundKey() }
        if carried.contains(.foreignKeys), random.chance(30) { makeOutboundKey() }
    }

    private mutating func makeInboundKey() {
        guard key.count == 1, let index = key.first, setup.contains(where: { $0.contains(" PRIMARY KEY ") }) else {
            return
        }
        let column = columns[index]
        let child = "s.\(Quoting.identifier(name("child")))"
        let action =
            random.choice([
                "", " ON DELETE CASCADE", " ON DELETE SET NULL ON UPDATE CASCADE",
                " ON UPDATE RESTRICT DEFERRABLE INITIALLY DEFERRED",
            ]) ?? ""
        let validity = random.chance(25) ? " NOT VALID" : ""
        isReferenced = true
        setup += [
            "CREATE TABLE \(child) (r \(column.type.sql))",
            "INSERT INTO \(child) SELECT \(column.quoted) FROM \(sql) ORDER BY 1 LIMIT 7",
            "GRANT ALL ON \(child) TO sink_owner",
        ]
        dependants.append(
            "ALTER TABLE \(child) ADD CONSTRAINT \(Quoting.identifier(constraintName("fk"))) FOREIGN KEY (r) REFERENCES \(sql)\(action)\(validity)"
        )
    }

    private mutating func makeOutboundKey() {
        guard let index = use({ $0.type.sql == "int" && $0.generated == nil && $0.identity == nil }) else { return }
        let column = columns[index]
        let parent = "s.\(Quoting.identifier(name("parent")))"
        let action =
            random.choice(["", " ON DELETE CASCADE", " ON UPDATE CASCADE DEFERRABLE", " MATCH FULL INITIALLY DEFERRED"])
            ?? ""
        let fk = Quoting.identifier(constraintName("fk"))
        dependants += [
            "CREATE TABLE \(parent) (id int PRIMARY KEY)",
            "INSERT INTO \(parent) SELECT generate_series(0, \(rows + 1))",
            "GRANT ALL ON \(parent) TO sink_owner",
            "ALTER TABLE \(sql) ADD CONSTRAINT \(fk) FOREIGN KEY (\(column.quoted)) REFERENCES \(parent)\(action)\(random.chance(25) ? " NOT VALID" : "")",
        ]
        if random.chance(30) { dependants.append("COMMENT ON CONSTRAINT \(fk) ON \(sql) IS 'outbound'") }
    }
}
