import PgConnection

/// No subscription writes into the table: subscriptions know their tables by OID and outside `pg_depend`.
struct SubscriptionCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        // Everything of pg_subscription except the connection string is readable by everybody.
        try table.query(
            """
            SELECT quote_ident(s.subname) AS name
            FROM pg_catalog.pg_subscription_rel r JOIN pg_catalog.pg_subscription s ON s.oid = r.srsubid
            WHERE r.srrelid = $1 ORDER BY s.subname
            """, on: connection
        ).map { row in
            let name: String = try row.get("name")
            return Finding(
                Refusal(
                    code: "subscribed", object: table.name, what: "is filled by the subscription \(name)",
                    why:
                        "the subscription would go on with the old table after the swap, and rows would be lost for the new one",
                    fix:
                        "take the table out of the subscription: ALTER PUBLICATION … DROP TABLE on the publisher, then "
                        + "ALTER SUBSCRIPTION \(name) REFRESH PUBLICATION;"))
        }
    }
}
