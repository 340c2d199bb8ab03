import PgConnection

/// How rows are written through a view that PostgreSQL cannot write through by itself. Pure.
///
/// DELETE needs no trigger: the view has one table, and its key is the table's.
struct CompatTriggers {
    let shape: CompatShape
    let facts: CompatFacts

    var statements: [String] {
        [forward, insert, update]
            + CompatShape.Purpose.allCases.map { purpose in
                let arguments = purpose == .forward ? shape.view.sql : ""
                return "GRANT EXECUTE ON FUNCTION \(shape.function(purpose).sql)(\(arguments)) TO PUBLIC"
            }
            + [("INSERT", CompatShape.Purpose.insert), ("UPDATE", .update)].map { event, purpose in
                """
                CREATE TRIGGER \(Quoting.identifier(purpose.rawValue)) INSTEAD OF \(event) ON \(shape.view.sql)
                FOR EACH ROW EXECUTE FUNCTION \(shape.function(purpose).sql)()
                """
            }
    }

    private var forwardName: String { shape.function(.forward).sql }
    private var live: String { shape.live.sql }
    private var alias: String { Quoting.identifier(shape.live.name) }
    private var targets: String { Quoting.identifiers(shape.targets.map(\.name)) }

    /// A parsed body: what its expressions mean does not depend on whoever calls it.
    private var forward: String {
        let outputs =
            shape.targets.map { "OUT \(Quoting.identifier($0.name)) \($0.type)" }
            + (shape.unkept.isEmpty ? [] : ["OUT shadow_alter_unkept text"])
        let values =
            shape.targets.map { target in
                target.column.map { "($1).\(Quoting.identifier($0))" } ?? target.expression
            } + (shape.unkept.isEmpty ? [] : [unkept])
        let row = zip(shape.columns, shape.row.names).map { column, name in
            "CAST(($1).\(Quoting.identifier(column.name)) AS \(column.type)) AS \(Quoting.identifier(name))"
        }
        return """
            CREATE FUNCTION \(forwardName)(IN \(shape.view.sql), \(outputs.joined(separator: ", "))) LANGUAGE sql IMMUTABLE
            BEGIN ATOMIC
            SELECT \(values.joined(separator: ", ")) FROM (SELECT \(row.joined(separator: ", "))) AS \(Quoting.identifier(shape.row.alias));
            END
            """
    }

    /// The first column with a value that the live table has no place for; NULL: all can be kept.
    private var unkept: String {
        let cases = shape.unkept.map { column -> String in
            let shown = if case .constant(let value?) = column.source { value } else { "NULL" }
            return """
                WHEN CAST(($1).\(Quoting.identifier(column.name)) AS text) IS DISTINCT FROM CAST(CAST((\(shown)) AS \(column.type)) AS text) \
                THEN \(Quoting.literal(column.name))::text
                """
        }
        return "CASE \(cases.joined(separator: " ")) END"
    }

    /// What is acknowledged is kept: a value that would be gone with the exchange is not taken.
    private var refuseUnkept: String {
        guard !shape.unkept.isEmpty else { return "" }
        let view = shape.view.description.split(separator: "%", omittingEmptySubsequences: false).joined(
            separator: "%%")
        let message = Quoting.literal("the column %I of \(view) cannot have a value of its own before the cut-over")
        return """
                shadow_alter_unkept := (SELECT shadow_alter_new.shadow_alter_unkept FROM \(forwardName)(NEW) AS shadow_alter_new);
                IF shadow_alter_unkept IS NOT NULL THEN
                    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', COLUMN = shadow_alter_unkept,
                        MESSAGE = pg_catalog.format(\(message), shadow_alter_unkept),
                        DETAIL = \(Quoting.literal("\(shape.live), which is live until then, has no such column, and the value would be lost.")),
                        HINT = 'Leave the column out, or write what it shows.';
                END IF;
            """
    }

    /// Where a column takes a default and there is no value, it is left out: an identity, a serial number.
    private var insert: String {
        let always = shape.targets.filter { !facts.filled.contains($0.name) }
        let optional = shape.targets.filter { facts.filled.contains($0.name) }
        let choices = optional.map { target in
            """
                IF shadow_alter_row.\(Quoting.identifier(target.name)) IS NOT NULL THEN
                    shadow_alter_columns := shadow_alter_columns || \(Quoting.literal(Quoting.identifier(target.name)))::text;
                END IF;
            """
        }
        let head = Quoting.literal("INSERT INTO \(live) AS \(alias) (")
        let tail = Quoting.literal(" FROM \(forwardName)($1) AS shadow_alter_new (\(targets))")
        let body = """
            #variable_conflict use_column
            DECLARE
                shadow_alter_row record;
                shadow_alter_now record;
                shadow_alter_key record;
                shadow_alter_unkept text;
                shadow_alter_columns text[] := ARRAY[\(always.map { Quoting.literal(Quoting.identifier($0.name)) }.joined(separator: ", "))]::text[];
                shadow_alter_list text;
                shadow_alter_statement text;
            BEGIN
            \(refuseUnkept)
                SELECT * INTO shadow_alter_row FROM \(forwardName)(NEW) AS shadow_alter_new (\(targets));
            \(choices.joined(separator: "\n"))
                shadow_alter_list := pg_catalog.array_to_string(shadow_alter_columns, ', ');
                IF shadow_alter_list = '' THEN
                    shadow_alter_statement := \(Quoting.literal("INSERT INTO \(live) AS \(alias) DEFAULT VALUES"));
                ELSE
                    shadow_alter_statement := \(head) || shadow_alter_list || ') OVERRIDING SYSTEM VALUE SELECT ' || shadow_alter_list || \(tail);
                END IF;
                IF NOT pg_catalog.has_table_privilege(\(Quoting.literal(live)), 'SELECT') THEN
                    EXECUTE shadow_alter_statement USING NEW;
                    RETURN NEW;
                END IF;
                EXECUTE shadow_alter_statement || \(Quoting.literal(returning)) INTO shadow_alter_key USING NEW;
            \(readBack)
            END
            """
        return trigger(.insert, body)
    }

    /// PostgreSQL asks a trigger with the row that the statement has seen, and computes nothing anew when somebody else has changed it since then,
    /// as it does for tables. What was computed from the row of before must not overwrite what came later.
    private var update: String {
        let changes = shape.targets.map { target in
            let name = Quoting.identifier(target.name)
            return
                "CASE WHEN shadow_alter_new.\(name)::text IS DISTINCT FROM shadow_alter_old.\(name)::text THEN "
                + "\(Quoting.literal("\(name) = shadow_alter_new.\(name)")) END"
        }
        let neutral = shape.targets.first { facts.settable.contains($0.name) }.map { target in
            let name = Quoting.identifier(target.name)
            return "shadow_alter_changes := \(Quoting.literal("\(name) = \(alias).\(name)"));"
        }
        let condition = shape.key.map {
            "\(alias).\(Quoting.identifier($0.target)) = ($2).\(Quoting.identifier($0.name))"
        }
        let tail = """
             FROM \(forwardName)($1) AS shadow_alter_new (\(targets)) WHERE \(condition.joined(separator: " AND "))\(returning)
            """
        let body = """
            #variable_conflict use_column
            DECLARE
                shadow_alter_now record;
                shadow_alter_key record;
                shadow_alter_unkept text;
                shadow_alter_changes text;
            BEGIN
            \(refuseUnkept)
                SELECT shadow_alter_view.* INTO shadow_alter_now FROM \(shape.view.sql) AS shadow_alter_view
                    WHERE \(viewKey("OLD") { $0.name }) FOR NO KEY UPDATE;
                IF NOT FOUND THEN RETURN NULL; END IF;
                IF shadow_alter_now::text IS DISTINCT FROM OLD::text THEN
                    RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
                        MESSAGE = \(Quoting.literal("somebody else has changed the row of \(shape.view) that is being updated")),
                        HINT = 'Try the transaction again.';
                END IF;
                SELECT pg_catalog.array_to_string(ARRAY[\(changes.joined(separator: ",\n            "))]::text[], ', ') INTO shadow_alter_changes
                    FROM (SELECT * FROM \(forwardName)(NEW)) AS shadow_alter_new (\(targets)),
                        (SELECT * FROM \(forwardName)(OLD)) AS shadow_alter_old (\(targets));
                IF shadow_alter_changes = '' THEN
                    \(neutral ?? "RETURN NEW;")
                END IF;
                EXECUTE \(Quoting.literal("UPDATE \(live) AS \(alias) SET ")) || shadow_alter_changes || \(Quoting.literal(tail))
                    INTO shadow_alter_key USING NEW, OLD;
            \(readBack)
            END
            """
        return trigger(.update, body)
    }

    private var returning: String {
        " RETURNING " + shape.key.map { "\(alias).\(Quoting.identifier($0.target))" }.joined(separator: ", ")
    }

    private func viewKey(_ record: String, _ name: (CompatShape.Key) -> String) -> String {
        shape.key.map {
            "shadow_alter_view.\(Quoting.identifier($0.name)) = \(record).\(Quoting.identifier(name($0)))"
        }.joined(separator: " AND ")
    }

    /// A trigger of the table may have kept the row out; and RETURNING is to tell of the row as it is.
    private var readBack: String {
        let isGone = shape.key.map { "shadow_alter_key.\(Quoting.identifier($0.target)) IS NULL" }
        return """
                IF \(isGone.joined(separator: " OR ")) THEN RETURN NULL; END IF;
                FOR shadow_alter_now IN SELECT shadow_alter_view.* FROM \(shape.view.sql) AS shadow_alter_view
                    WHERE \(viewKey("shadow_alter_key") { $0.target }) LOOP
                    RETURN shadow_alter_now;
                END LOOP;
                RETURN NEW;
            """
    }

    private func trigger(_ purpose: CompatShape.Purpose, _ body: String) -> String {
        """
        CREATE FUNCTION \(shape.function(purpose).sql)() RETURNS trigger LANGUAGE plpgsql AS \(Quoting.literal("\n" + body + "\n"))
        """
    }
}
