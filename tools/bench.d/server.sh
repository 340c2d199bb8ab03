# A private server for the measurements, and what a command costs on it. To be sourced, with `bin` set.

# Servers do not run as root.
account=()
directory=$(mktemp -d "${TMPDIR:-/tmp}/shadow-alter-bench.XXXXXX")
if [ "$(id -u)" = 0 ]; then
    user=$(getent passwd postgres >/dev/null && echo postgres || echo nobody)
    chown "$user" "$directory"
    account=(setpriv --reuid "$user" --regid "$(id -gn "$user")" --clear-groups)
fi
chmod 755 "$directory"
server() { (cd "$directory" && "${account[@]}" "$@"); }
finish() {
    # A second signal, to the whole group perhaps, would leave the server behind.
    trap '' INT TERM
    server "$bin/pg_ctl" -D "$directory/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$directory"
}
trap finish EXIT
settings="wal_level = logical
shared_buffers = 1GB
max_locks_per_transaction = 256
max_wal_size = 16GB
checkpoint_timeout = 30min
autovacuum = off"
if [ "$setting" ]; then settings+=$'\n'"$setting"; fi
server "$bin/initdb" -D "$directory/data" -U postgres -A trust -E UTF8 --no-locale -N >/dev/null
printf "listen_addresses = ''\nunix_socket_directories = '%s'\n%s\n" "$directory" "$settings" >>"$directory/data/postgresql.conf"
server "$bin/pg_ctl" -D "$directory/data" -l "$directory/log" -w start >/dev/null
postmaster=$(head -n 1 "$directory/data/postmaster.pid")
dsn="host=$directory user=postgres dbname=postgres"
sql() { "$bin/psql" -X -q -At -v ON_ERROR_STOP=1 "$dsn" -c "$1"; }

# Each statement in a transaction of its own.
script() { "$bin/psql" -X -q -At -v ON_ERROR_STOP=1 "$dsn" <<<"$1"; }

calculate() { awk "BEGIN { printf \"%.${2:-2}f\", $1 }"; }
now() { date +%s.%N; }
since() { calculate "$(now) - $1"; }

# The CPU seconds that the server has used so far: those of its processes, and of those that have ended.
server_cpu() {
    local process
    {
        cut -d ' ' -f 14-17 "/proc/$postmaster/stat"
        for process in $(cat "/proc/$postmaster/task/$postmaster/children" 2>/dev/null); do
            cut -d ' ' -f 14-15 "/proc/$process/stat" 2>/dev/null || true
        done
    } | awk -v ticks="$(getconf CLK_TCK)" '{ for (i = 1; i <= NF; i++) t += $i } END { printf "%.2f", t / ticks }'
}
wal_position() { sql "SELECT pg_current_wal_insert_lsn() - '0/0'"; }

# measured COMMAND...: executes it, and says what it took: when it `began`, what it `took` (s), `cpu` (s, of the server), `wal` (MB).
measured() {
    local cpu_before wal_before
    sql CHECKPOINT
    wal_before=$(wal_position) cpu_before=$(server_cpu) began=$(now)
    "$@" >"$directory/out" 2>"$directory/err" || { cat "$directory/out" "$directory/err" >&2 && exit 1; }
    took=$(since "$began")
    # What has ended is to be counted as such.
    sleep 0.3
    cpu=$(calculate "$(server_cpu) - $cpu_before")
    wal=$(calculate "($(wal_position) - $wal_before) / 1048576" 0)
}

# The other of two types, for a column that changes there and back.
other_type() {
    sql "SELECT CASE format_type(atttypid, NULL) WHEN '$3' THEN '$4' ELSE '$3' END
        FROM pg_attribute WHERE attrelid = '$1'::regclass AND attname = '$2'"
}

# migration TABLE ALTER [OPTION...]: a run to its end, and then the end of the old table, which is not counted. Besides what `measured` says:
# `phases` (text), `hold` (ms), `attempts`, `tool_cpu` (s), `tool_memory` (MB).
migration() {
    local table=$1 alter=$2
    shift 2
    measured run_tool --dsn "$dsn" --table "$table" --alter "$alter" --progress off --json "$@" ${options[@]+"${options[@]}"}
    read -r hold attempts < <(summary "format('%s %s', round((s #>> '{cutOver,last_hold_ms}')::numeric, 1), s #>> '{cutOver,attempts}')")
    phases=$(summary "(SELECT string_agg(format('%s %s s', p ->> 'phase', round((p ->> 'seconds')::numeric, 1)), ', ') FROM jsonb_array_elements(s -> 'timings') p)")
    "$tool" finalize --dsn "$dsn" "$table" >"$directory/finalized" 2>&1 || { cat "$directory/finalized" >&2 && exit 1; }
}
run_tool() {
    "$tool" run "$@" &
    local process=$! line
    while line=$(cat "/proc/$process/stat" 2>/dev/null) && [ -n "$line" ]; do
        tool_memory=$(awk '/VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$process/status" 2>/dev/null) || true
        tool_cpu=$(awk -v ticks="$(getconf CLK_TCK)" '{ printf "%.2f", ($14 + $15) / ticks }' <<<"$line")
        [ "$(awk '{ print $3 }' <<<"$line")" != Z ] || break
        sleep 0.1
    done
    wait "$process"
}
# summary EXPRESSION: of the last run's summary, a jsonb named s.
summary() {
    "$bin/psql" -X -q -At -v ON_ERROR_STOP=1 -v summary="$(cat "$directory/out")" "$dsn" <<<"SELECT $1 FROM (SELECT :'summary'::jsonb AS s) x"
}
phase_seconds() {
    summary "coalesce((SELECT sum((p ->> 'seconds')::numeric) FROM jsonb_array_elements(s -> 'timings') p WHERE p ->> 'phase' = '$1'), 0)"
}

# clients SECONDS SCRIPT [OPTION...]: pgbench in the background, with a log of every transaction; its process is `load`.
clients_start() {
    local seconds=$1 script=$2
    shift 2
    rm -f "$directory"/transactions.*
    (cd "$directory" && exec "$pgbench" -n -M prepared -c "$clients" -j 2 -T "$seconds" -P 1 -l --log-prefix=transactions \
        -f "$script" "$@" "$dsn") >"$directory/pgbench.log" 2>&1 &
    load=$!
}
clients_stop() {
    kill -TERM "$load" 2>/dev/null || true
    wait "$load" 2>/dev/null || true
}
client_errors() { grep -cE 'ERROR|aborted|FATAL' "$directory/pgbench.log" || true; }
# latencies FROM TO [own]: of the transactions that ended in this time: how many a second, and median, 99 %, 99.9 % and longest in ms. Of clients with a
# rate they count from when a transaction was due; `own`: from when it was begun.
latencies() {
    cat "$directory"/transactions.* |
        awk -v from="$1" -v to="$2" -v own="${3:-}" '{ t = $5 + $6 / 1e6; if (t >= from && t < to) print ($3 - (own ? $7 : 0)) / 1000 }' | sort -n |
        awk -v seconds="$(calculate "$2 - $1")" '{ v[NR] = $1 }
            function part(p) { i = int(NR * p); return v[i < 1 ? 1 : i] }
            END { if (NR) printf "%.0f %.2f %.2f %.2f %.1f\n", NR / seconds, part(0.5), part(0.99), part(0.999), v[NR]; else print "0 0 0 0 0" }'
}
