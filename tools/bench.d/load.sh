# A migration while clients write half of what they can: its time beside a native change without load, and what the clients notice.

heading "Load: $rows rows, $clients clients"
[ "$(sql "SELECT to_regclass('orders') IS NOT NULL")" = t ] || orders orders "$rows"
orders twin "$rows"
cat >"$directory/load.sql" <<LOAD
\set id random(1, $rows)
UPDATE orders SET amount = amount + 1 WHERE id = :id;
LOAD
clients_start 6 "$directory/load.sql"
start=$(now)
wait "$load" || true
read -r most _ < <(latencies "$(calculate "$start + 1" 3)" "$(calculate "$start + 5" 3)")
say 'at most' "$most writes a second"
record load 'clients alone, as many as they can' 'writes/s' "$most"

for share in 10 50; do
    rate=$((most * share / 100))
    for pair in $(seq "$pairs"); do
        measured sql "ALTER TABLE twin ALTER COLUMN id TYPE $(other_type twin id integer bigint)"
        native=$took
        clients_start 600 "$directory/load.sql" -R "$rate"
        sleep 10
        start=$(now)
        read -r before_rate before_median before_99 before_999 before_most < <(latencies "$(calculate "$start - 8" 3)" "$start")
        read -r _ _ own_before _ < <(latencies "$(calculate "$start - 8" 3)" "$start" own)
        migration orders "ALTER COLUMN id TYPE $(other_type orders id integer bigint)" --verify off
        sleep 1
        read -r _ own_median own_during _ own_most < <(latencies "$began" "$(calculate "$began + $took" 3)" own)
        read -r rate_during median_during during_99 during_999 during_most < <(latencies "$began" "$(calculate "$began + $took" 3)")
        clients_stop
        say "$share %, $rate/s" "native alone $native s, shadow-alter $took s ($phases); lock $hold ms, attempts $attempts, errors $(client_errors)"
        say '' "before: $before_rate/s, $before_median / $before_99 / $before_999 / $before_most ms (median / 99 % / 99.9 % / longest)"
        say '' "during: $rate_during/s, $median_during / $during_99 / $during_999 / $during_most ms"
        record "load of $share %" 'shadow-alter / native without load' ratio "$(calculate "$took / $native")"
        record "load of $share %" 'writes during / before' ratio "$(calculate "$rate_during / $before_rate")"
        record "load of $share %" '99 % of latencies, before' ms "$before_99" && record "load of $share %" '99 % of latencies, during' ms "$during_99"
        say '' "during, from when a statement was begun: $own_median / $own_during (before: $own_before) / longest $own_most ms"
        record "load of $share %" '99 % of statements, before' ms "$own_before" && record "load of $share %" '99 % of statements, during' ms "$own_during"
        record "load of $share %" 'longest statement, during' ms "$own_most"
        record "load of $share %" 'longest latency, before' ms "$before_most" && record "load of $share %" 'longest latency, during' ms "$during_most"
        record "load of $share %" 'lock at the cut-over' ms "$hold"
    done
done
sql 'DROP TABLE twin'
