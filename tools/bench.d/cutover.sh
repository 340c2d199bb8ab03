# The lock at the cut-over under 5,000 writes a second; then with 10 views and 6 foreign keys on the table, and with a partitioned table.

# cut_overs TABLE COLUMN SCRIPT [OPTION...]: a rebuild and a change of the column's type in turns, `rounds` of each, under pgbench with these options.
cut_overs() {
    local table=$1 column=$2 script=$3 round kind alter
    shift 3
    clients_start 3600 "$script" "$@"
    sleep 2
    for round in $(seq "$rounds"); do
        for kind in rebuild change; do
            alter=''
            if [ "$kind" = change ]; then alter="ALTER COLUMN $column TYPE $(other_type "$table" "$column" integer bigint)"; fi
            migration "$table" "$alter" --strategy shadow --verify off
            record "cut-over of $table, $kind" 'lock held' ms "$hold" && record "cut-over of $table, $kind" attempts attempts "$attempts"
            say "round $round, $kind" "lock held $hold ms, attempts $attempts"
        done
    done
    clients_stop
    say clients "errors: $(client_errors); $(tail -n 1 "$directory/pgbench.log")"
    record "cut-over of $table" 'errors of clients' errors "$(client_errors)"
}

heading "Cut-over of a table of 200,000 rows, $clients clients, 5000 writes a second wanted"
orders small 200000
cat >"$directory/small.sql" <<'LOAD'
\set id random(1, 200000)
UPDATE small SET amount = amount + 1 WHERE id = :id;
LOAD
cut_overs small id "$directory/small.sql" -R 5000

heading "The same with 20 indexes, 10 views, 3 foreign keys in each direction, policies, triggers, a rule; unthrottled"
laden
cat >"$directory/laden.sql" <<'LOAD'
\set id random(1, 200000)
UPDATE sale SET amount = amount + 1 WHERE id = :id;
LOAD
cut_overs sale id "$directory/laden.sql"

heading "The same with $partitions partitions; unthrottled"
tree_of_readings
cat >"$directory/tree.sql" <<LOAD
\set id random(0, $partitions * 1000 - 1)
UPDATE reading SET value = value + 1 WHERE id = :id;
LOAD
cut_overs reading sensor "$directory/tree.sql"
