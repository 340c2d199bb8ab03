# Copying and building indexes in 1, 2, 4 and 8 sessions, the CPU time that they take, and what that gives on more cores.

heading "Lanes: $rows rows, $(nproc) cores"
[ "$(sql "SELECT to_regclass('orders') IS NOT NULL")" = t ] || orders orders "$rows"
orders twin "$rows"
for pair in $(seq "$pairs"); do
    measured sql "ALTER TABLE twin ALTER COLUMN id TYPE $(other_type twin id integer bigint)"
    native=$took
    say native "$took s, $cpu s of CPU"
    for lanes in 1 2 4 8; do
        migration orders "ALTER COLUMN id TYPE $(other_type orders id integer bigint)" --verify off --copy-workers "$lanes"
        copy=$(phase_seconds copying) index=$(phase_seconds indexing)
        record lanes "$lanes" s "$took" && record lanes "$lanes, copy" s "$copy" && record lanes "$lanes, indexes" s "$index"
        record lanes "$lanes" 'CPU s of the server' "$cpu"
        say "$lanes lanes" "$took s, $cpu s of CPU ($phases)"
        # What one session does in a row can be done by eight at once; an index is built by one session and its parallel workers.
        if [ "$lanes" = 1 ]; then
            eight=$(calculate "$took - $copy - $index + ($copy + $index) / 8")
            four=$(calculate "$took - $copy - $index + ($copy + $index) / 4")
            record lanes 'extrapolated to 4 cores / native' ratio "$(calculate "$four / $native")"
            record lanes 'extrapolated to 8 cores / native' ratio "$(calculate "$eight / $native")"
        fi
    done
done
sql 'DROP TABLE twin'
