# Tables of other kinds, each beside a native change of an identical one.

heading 'Shapes'
for shape in toast uuid_key ten_indexes hundred_columns five_bytes; do
    "$shape" one
    "$shape" other
    sql 'VACUUM (FREEZE, ANALYZE) one, other'
    for pair in $(seq "$pairs"); do
        type=$(other_type one changed integer bigint)
        measured sql "ALTER TABLE other ALTER COLUMN changed TYPE $type"
        native=$took native_cpu=$cpu
        migration one "ALTER COLUMN changed TYPE $type" --verify off
        record "$shape" native s "$native" && record "$shape" shadow-alter s "$took"
        record "$shape" 'shadow-alter / native' ratio "$(calculate "$took / $native")"
        say "$shape" "$(sql "SELECT pg_size_pretty(pg_total_relation_size('one'))"): native $native s ($native_cpu s of CPU), shadow-alter $took s ($cpu s of CPU; $phases)"
    done
    sql 'DROP TABLE one, other'
done
