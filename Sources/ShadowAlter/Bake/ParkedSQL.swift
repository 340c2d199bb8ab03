import PgConnection

/// The statements over the table in which keys wait whose rows the old definition does not take. Pure.
///
/// It looks like a spool, so that `refresh` can read its keys from there.
enum ParkedSQL {
    static func create(_ parked: QualifiedName, for table: TablePlan) -> String {
        let columns = table.key.enumerated().map { index, key in
            "\(Quoting.identifier(key.source)) AS \(SpoolSQL.keyColumn(index))"
        }
        let names = SpoolSQL.keyColumns(table).joined(separator: ", ")
        return """
            CREATE TABLE \(parked.sql) AS SELECT 0::bigint AS seq, '3'::xid8 AS xid, \(columns.joined(separator: ", ")), ''::text AS why
            FROM ONLY \(table.source.sql) WITH NO DATA;
            ALTER TABLE \(parked.sql) ALTER seq SET NOT NULL, ALTER seq ADD GENERATED ALWAYS AS IDENTITY, ALTER xid SET DEFAULT '3'::xid8,
                REPLICA IDENTITY FULL;
            CREATE UNIQUE INDEX ON \(parked.sql) (\(names));
            CREATE INDEX ON \(parked.sql) (seq);
            """
    }

    /// The keys of a stretch of the spool, with the reason `$1`.
    static func park(_ table: TablePlan, from spool: QualifiedName, _ window: SpoolWindow, to parked: QualifiedName)
        -> String
    {
        let names = SpoolSQL.keyColumns(table).joined(separator: ", ")
        return """
            INSERT INTO \(parked.sql) (\(names), why) SELECT DISTINCT \(names), $1::text FROM \(spool.sql) WHERE \(SpoolSQL.condition(window))
            ON CONFLICT (\(names)) DO UPDATE SET why = excluded.why
            """
    }

    /// Forgets the keys of a stretch of the spool: they are looked at anew.
    static func release(
        _ table: TablePlan, named spool: QualifiedName, _ window: SpoolWindow, from parked: QualifiedName
    ) -> String {
        let join = SpoolSQL.keyColumns(table).map { "p.\($0) = k.\($0)" }.joined(separator: " AND ")
        return "DELETE FROM \(parked.sql) p USING \(SpoolSQL.keys(spool, table, window)) k WHERE \(join)"
    }
}
