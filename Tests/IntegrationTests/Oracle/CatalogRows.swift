/// A catalog that the oracle reads row by row.
struct CatalogRows: Sendable {
    let catalog: String
    /// The column by which a row, of the alias `r`, belongs to an object of a user.
    let key: String
    /// SQL for the name of what the row is about.
    let object: String

    init(_ catalog: String, key: String = "oid", object: String? = nil) {
        self.catalog = catalog
        self.key = key
        self.object = object ?? ObjectNames.sql(of: catalog, "r.oid")
    }

    private static func relation(_ column: String) -> String { ObjectNames.sql(of: "pg_class", "r.\(column)") }
    private static func type(_ column: String) -> String { ObjectNames.sql(of: "pg_type", "r.\(column)") }

    static let all: [Self] =
        [
            "pg_class", "pg_constraint", "pg_rewrite", "pg_policy", "pg_type", "pg_proc", "pg_statistic_ext",
            "pg_publication",
            "pg_publication_rel", "pg_publication_namespace", "pg_event_trigger", "pg_default_acl", "pg_namespace",
            "pg_cast",
            "pg_collation", "pg_operator", "pg_opclass", "pg_opfamily", "pg_extension", "pg_language",
            "pg_foreign_data_wrapper",
            "pg_foreign_server", "pg_user_mapping", "pg_ts_config", "pg_ts_dict", "pg_transform", "pg_conversion",
            "pg_am",
        ].map { Self($0) } + [
            Self("pg_attribute", key: "attrelid", object: ObjectNames.sql(of: "pg_class", "r.attrelid", "r.attnum")),
            Self("pg_attrdef", key: "adrelid", object: ObjectNames.sql(of: "pg_class", "r.adrelid", "r.adnum")),
            Self("pg_index", key: "indexrelid", object: relation("indexrelid")),
            Self(
                "pg_trigger",
                object: ObjectNames.sql(of: "pg_trigger", "r.oid")
                    + " || CASE WHEN r.tgisinternal THEN ' ' || r.tgfoid::regproc || ' ' || "
                    + ObjectNames.sql(of: "pg_constraint", "r.tgconstraint") + " ELSE '' END"),
            Self("pg_enum", key: "enumtypid", object: type("enumtypid") + " || ' ' || r.enumlabel"),
            Self("pg_range", key: "rngtypid", object: type("rngtypid")),
            Self("pg_aggregate", key: "aggfnoid", object: ObjectNames.sql(of: "pg_proc", "r.aggfnoid")),
            Self("pg_sequence", key: "seqrelid", object: relation("seqrelid")),
            Self(
                "pg_inherits", key: "inhrelid", object: relation("inhrelid") + " || ' of ' || " + relation("inhparent")),
            Self("pg_partitioned_table", key: "partrelid", object: relation("partrelid")),
            Self("pg_foreign_table", key: "ftrelid", object: relation("ftrelid")),
        ]

    /// Of the rows, those that are of interest.
    var condition: String {
        let isUsers = "r.\(key)::oid >= 16384"
        switch catalog {
        case "pg_attribute": return isUsers + " AND r.attnum > 0 AND NOT r.attisdropped"
        case "pg_namespace": return "(\(isUsers) OR r.nspname = 'public')"
        default: return isUsers
        }
    }

    /// Columns beside the catalog's own.
    var further: [(name: String, sql: String)] {
        guard catalog == "pg_attribute" else { return [] }
        return [
            (
                "position",
                "(SELECT count(*) FROM pg_attribute x WHERE x.attrelid = r.attrelid AND x.attnum BETWEEN 1 AND r.attnum AND NOT x.attisdropped)::text"
            )
        ]
    }
}
