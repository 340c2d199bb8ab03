/// SQL that names objects.
enum ObjectNames {
    /// The triggers behind foreign keys and deferrable constraints have OIDs in their names.
    static let internalTrigger = "((RI|Unique|PK)_ConstraintTrigger(_[ac])?)_[0-9]+"

    /// The kind and the qualified name of an object.
    static func sql(_ catalog: String, _ oid: String, _ part: String = "0") -> String {
        """
        (SELECT regexp_replace(concat_ws(' ', i.type, coalesce(i.identity, 'unknown')), '\(internalTrigger)', '\\1')
         FROM pg_identify_object(\(catalog), \(oid), \(part)) i)
        """
    }

    /// As above, by the name of the catalog.
    static func sql(of catalog: String, _ oid: String, _ part: String = "0") -> String {
        sql("'pg_catalog.\(catalog)'::regclass", oid, part)
    }

    /// A column's name by its number; expressions have the number 0.
    static func column(_ relation: String, _ number: String) -> String {
        "coalesce((SELECT x.attname FROM pg_attribute x WHERE x.attrelid = \(relation) AND x.attnum = \(number)), 'no column')"
    }

    /// TOAST tables have their OIDs in their names, and what belongs to them is told with their owners; what is temporary belongs to a session.
    static func isOfInterest(_ object: String) -> String {
        "\(object) !~ 'pg_toast\\.|pg_temp'"
    }
}
