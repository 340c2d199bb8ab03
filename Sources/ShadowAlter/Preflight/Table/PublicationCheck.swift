import PgConnection

/// The table is in no publication of all tables or of its schema, unless the operator knows what that means.
///
/// Those that list the table are `PublicationReader`'s.
struct PublicationCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try WidePublication.read(table.oid, on: connection).filter {
            !table.allowedPublications.contains($0.publication.name)
        }.map { publication in
            switch publication.extent {
            case .allTables: Finding(everything(table, publication))
            case .schema(let schema): Finding(inSchema(table, publication, schema))
            }
        }
    }

    private func everything(_ table: InspectedTable, _ publication: WidePublication) -> Refusal {
        Refusal(
            code: "published-all-tables", object: table.name,
            what: "the publication \(publication.publication.shown) is FOR ALL TABLES",
            why:
                "it publishes the new table's rows under its own name while it is being built, and the tables of the schema "
                + "shadow_alter; a subscriber that lacks one of these stops with an error until it has it",
            fix:
                "\(allowance(publication)), and `plan` says what subscribers have to do; or replace the publication by one "
                + "that lists its tables")
    }

    private func inSchema(_ table: InspectedTable, _ publication: WidePublication, _ schema: String) -> Refusal {
        Refusal(
            code: "published-schema", object: table.name,
            what: "the publication \(publication.publication.shown) is FOR TABLES IN SCHEMA \(schema)",
            why:
                "from the cut-over on it publishes the new table, which comes into the schema, and no longer the old one, which leaves it",
            fix: "\(allowance(publication)), and `plan` says what subscribers have to do; or ALTER PUBLICATION "
                + "\(publication.publication.shown) DROP TABLES IN SCHEMA \(schema);  -- and add the tables by name")
    }

    private func allowance(_ publication: WidePublication) -> String {
        "--allow-publication \(ShellWord.quoted(publication.publication.name))"
    }
}
