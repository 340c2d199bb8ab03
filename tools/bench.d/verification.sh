# What the full verification adds to a migration.

heading "Verification: $rows rows"
[ "$(sql "SELECT to_regclass('orders') IS NOT NULL")" = t ] || orders orders "$rows"
for pair in $(seq "$pairs"); do
    migration orders "ALTER COLUMN id TYPE $(other_type orders id integer bigint)" --verify off
    without=$took
    say 'without' "$took s ($phases)"
    migration orders "ALTER COLUMN id TYPE $(other_type orders id integer bigint)" --verify full
    say 'with' "$took s ($phases)"
    record verification 'without' s "$without" && record verification 'with' s "$took"
    record verification 'with / without' ratio "$(calculate "$took / $without")"
done
