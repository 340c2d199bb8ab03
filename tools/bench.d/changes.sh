# How fast changes reach the new table: many keys at once, and one row again and again.

heading "Changes: $rows rows"
[ "$(sql "SELECT to_regclass('orders') IS NOT NULL")" = t ] || orders orders "$rows"
"$tool" run --dsn "$dsn" --table orders --alter "ALTER COLUMN id TYPE $(other_type orders id integer bigint)" --verify off --progress off \
    --cut-over manual >"$directory/out" 2>"$directory/err" &
run=$!
until_ready() {
    until [ "$(sql "SELECT phase = 'ready' FROM shadow_alter.migration" 2>/dev/null)" = t ]; do
        kill -0 "$run" || { cat "$directory/err" && exit 1; }
        sleep 0.2
    done
}
until_ready
spool=$(sql "SELECT 'shadow_alter.spool_' || id FROM shadow_alter.migrated_table")
# settled POSITION: waits until everything up to this position is spooled (says when: `spooled`) and refreshed.
settled() {
    local start=$2
    until [ "$(sql "SELECT confirmed_flush_lsn >= '$1' FROM pg_replication_slots WHERE slot_name LIKE 'shadow_alter%'")" = t ]; do sleep 0.05; done
    spooled=$(since "$start")
    until [ "$(sql "SELECT NOT EXISTS (SELECT FROM $spool)")" = t ]; do sleep 0.05; done
}
for pair in $(seq "$pairs"); do
    for keys in $((rows / 12)) $((rows / 6)) $((rows / 3)); do
        sql "UPDATE orders SET amount = amount + 1 WHERE id <= $keys"
        start=$(now)
        settled "$(sql 'SELECT pg_current_wal_insert_lsn()')" "$start"
        took=$(since "$start")
        say "$keys keys" "spooled $spooled s after the commit, in the new table $took s after it: $(calculate "$keys / $took" 0) a second"
        record changes "$keys keys in one commit" 's until spooled' "$spooled" && record changes "$keys keys in one commit" s "$took"
        record changes "$keys keys in one commit" 'keys/s' "$(calculate "$keys / $took" 0)"
    done
done
cat >"$directory/all.sql" <<LOAD
\set id random(1, $rows)
UPDATE orders SET amount = amount + 1 WHERE id = :id;
LOAD
cat >"$directory/hot.sql" <<LOAD
UPDATE orders SET amount = amount + 1 WHERE id = 1;
LOAD
for kind in all hot; do
    clients_start 20 "$directory/$kind.sql"
    start=$(now)
    wait "$load" || true
    read -r rate _ < <(latencies "$(calculate "$start + 1" 3)" "$(calculate "$start + 19" 3)")
    end=$(now)
    settled "$(sql 'SELECT pg_current_wal_insert_lsn()')" "$end"
    behind=$(since "$end")
    say "$clients clients, $kind" "$rate writes a second for 20 s, beside the refresh; everything is in the new table $behind s after the last"
    record changes "$clients clients, $kind" 'writes/s' "$rate" && record changes "$clients clients, $kind" 's behind at the end' "$behind"
done
"$tool" abort --dsn "$dsn" orders >/dev/null 2>&1
wait "$run" || true
