import PgConnection

/// The statements that make the view of a shape, and those that take it away. Pure.
struct CompatSQL {
    let shape: CompatShape
    let facts: CompatFacts

    /// Under the `search_path` of the change: PostgreSQL keeps what it has read, and no text of ours is read again later.
    ///
    /// The schema is there.
    var create: [String] {
        [view, "ALTER VIEW \(shape.view.sql) OWNER TO \(Quoting.identifier(facts.owner))"] + facts.grants + defaults
            + (shape.isPlain ? [] : CompatTriggers(shape: shape, facts: facts).statements)
    }

    static func createSchema(_ schema: String, for facts: [CompatFacts]) -> [String] {
        let name = Quoting.identifier(schema)
        var seen: Set<String> = []
        let grantees = facts.flatMap { $0.grantees + [Quoting.identifier($0.owner)] }.filter {
            seen.insert($0).inserted
        }
        return ["CREATE SCHEMA \(name)"]
            // To be given a view, an owner must be allowed to make one there.
            + Set(facts.map(\.owner)).sorted().map {
                "GRANT CREATE ON SCHEMA \(name) TO \(Quoting.identifier($0))"
            } + grantees.map { "GRANT USAGE ON SCHEMA \(name) TO \($0)" }
    }

    private var view: String {
        let columns = shape.columns.map { column in
            switch column.source {
            case .column(let name): "\(alias).\(Quoting.identifier(known(name)))"
            case .expression(let expression): "CAST((\(expression)) AS \(column.type))"
            case .constant(let value): "CAST((\(value ?? "NULL")) AS \(column.type))"
            }
        }
        let names =
            shape.liveNames == shape.liveRow.names ? "" : " (\(Quoting.identifiers(shape.liveRow.names)))"
        return """
            CREATE VIEW \(shape.view.sql) (\(Quoting.identifiers(shape.columns.map(\.name))))\
            \(facts.hasInvoker ? " WITH (security_invoker = true)" : "") AS
            SELECT \(columns.joined(separator: ", ")) FROM \(shape.live.sql) AS \(alias)\(names)
            """
    }

    private var alias: String { Quoting.identifier(shape.liveRow.alias) }

    private func known(_ name: String) -> String {
        zip(shape.liveNames, shape.liveRow.names).first { $0.0 == name }?.1 ?? name
    }

    /// What is shown as NULL is written as NULL.
    private var defaults: [String] {
        let shown = Set(shape.columns.filter { $0.source != .constant(nil) }.map(\.name))
        return facts.defaults.filter { shown.contains($0.column) }.map {
            "ALTER VIEW \(shape.view.sql) ALTER COLUMN \(Quoting.identifier($0.column)) SET DEFAULT \($0.value)"
        }
    }

    /// Not CASCADE: what somebody has built on the views is theirs. May be executed again.
    static func drop(_ shapes: [CompatShape]) -> [String] {
        shapes.flatMap { shape in
            let forward =
                shape.isPlain
                ? [] : ["DROP FUNCTION IF EXISTS \(shape.function(.forward).sql)(\(shape.view.sql))"]
            let triggers =
                shape.isPlain
                ? []
                : [CompatShape.Purpose.insert, .update].map { "DROP FUNCTION IF EXISTS \(shape.function($0).sql)()" }
            return forward + ["DROP VIEW IF EXISTS \(shape.view.sql)"] + triggers
        }
            + Set(shapes.map(\.view.schema)).sorted().map { "DROP SCHEMA IF EXISTS \(Quoting.identifier($0))" }
    }

    /// For event triggers: one statement of every kind.
    static let kinds = [
        "CREATE SCHEMA s", "CREATE VIEW v AS SELECT 1", "ALTER VIEW v OWNER TO o", "GRANT SELECT ON v TO o",
        "REVOKE ALL ON v FROM o", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''",
        "CREATE TRIGGER t INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f()", "DROP VIEW v", "DROP FUNCTION f()",
        "DROP SCHEMA s",
    ]
}
