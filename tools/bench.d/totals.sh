# A whole migration beside PostgreSQL's own ALTER TABLE, pg_repack, a tool that copies batches of rows by key, and plain copying of the same bytes.

# A thousand rows at a time in the order of the key into a table that has all its indexes: what tools that read by key do, without their
# round trips.
batches() {
    sql "CREATE TABLE batched (LIKE orders INCLUDING ALL); ALTER TABLE batched ALTER id TYPE bigint"
    measured script "SET synchronous_commit = off;
        DO \$\$ DECLARE last bigint := 0; BEGIN LOOP
            WITH batch AS (INSERT INTO batched SELECT * FROM orders WHERE id > last ORDER BY id LIMIT 1000 RETURNING id)
                SELECT max(id) INTO last FROM batch;
            EXIT WHEN last IS NULL; COMMIT; END LOOP; END \$\$;"
    sql "DROP TABLE batched"
}
repack() { "$(dirname "$bin")/bin/pg_repack" -h "$directory" -U postgres -d postgres -t repacked -j 2; }
# Every byte of the table and of its indexes read and written once by one process, and on the disk at the end.
bytes() {
    local file
    sql "SELECT pg_relation_filepath('orders') UNION ALL SELECT pg_relation_filepath(indexrelid) FROM pg_index WHERE indrelid = 'orders'::regclass" |
        while read -r file; do cat "$directory/data/$file"*; done | dd of="$directory/bytes" bs=8M conv=fsync iflag=fullblock
    rm "$directory/bytes"
}
rows_by_copy() {
    sql "COPY orders TO '$directory/rows' (FORMAT binary)"
    sql "CREATE TABLE bare (LIKE orders); COPY bare FROM '$directory/rows' (FORMAT binary); DROP TABLE bare"
    rm -f "$directory/rows"
}

heading "Totals: $rows rows, --verify off"
orders orders "$rows"
orders twin "$rows"
say table "$(sql "SELECT format('%s and %s of indexes', pg_size_pretty(pg_table_size('orders')), pg_size_pretty(pg_indexes_size('orders')))")"
has_repack=''
if [ -x "$(dirname "$bin")/bin/pg_repack" ]; then
    has_repack=yes
    orders repacked "$rows"
    sql "CREATE EXTENSION pg_repack"
else
    say pg_repack 'is not installed beside this server: left out'
fi
for pair in $(seq "$pairs"); do
    type=$(other_type orders id integer bigint)
    measured sql "ALTER TABLE twin ALTER COLUMN id TYPE $type"
    native=$took
    record total 'native ALTER TABLE' s "$took" && record total 'native ALTER TABLE' 'MB of WAL' "$wal"
    record total 'native ALTER TABLE' 'CPU s of the server' "$cpu"
    native_wal=$wal
    say "native" "$took s, $cpu s of CPU, $wal MB of WAL"

    migration orders "ALTER COLUMN id TYPE $type" --verify off
    shadow=$took
    record total shadow-alter s "$took" && record total shadow-alter 'MB of WAL' "$wal" && record total shadow-alter 'CPU s of the server' "$cpu"
    record total shadow-alter 'CPU s of the tool' "$tool_cpu" && record total shadow-alter 'MB of the tool' "$tool_memory"
    record total 'shadow-alter / native' ratio "$(calculate "$took / $native")"
    record total 'shadow-alter / native' 'ratio of WAL' "$(calculate "$wal / $native_wal")"
    for phase in capturing copying indexing catching-up; do record phases "$phase" s "$(phase_seconds "$phase")"; done
    say shadow-alter "$took s, $cpu s of CPU, $wal MB of WAL; the tool: $tool_cpu s of CPU, $tool_memory MB ($phases)"

    if [ "$has_repack" ]; then
        measured repack
        record total 'pg_repack -j 2' s "$took" && record total 'shadow-alter / pg_repack' ratio "$(calculate "$shadow / $took")"
        say 'pg_repack -j 2' "$took s, $cpu s of CPU, $wal MB of WAL"
    fi
    if [ "$pair" = 1 ]; then
        batches
        record total 'batches of 1000 rows by key' s "$took" && record total 'shadow-alter / batches' ratio "$(calculate "$shadow / $took")"
        say batches "$took s, $cpu s of CPU, $wal MB of WAL"
    fi
    measured bytes
    record total 'the same bytes, dd with fsync' s "$took" && say 'bytes' "$took s"
    measured rows_by_copy
    record total 'the rows out and in by COPY, no index' s "$took" && say 'rows by COPY' "$took s"
done
sql 'DROP TABLE twin; DROP TABLE IF EXISTS repacked'
