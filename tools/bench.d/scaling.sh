# The time for each row of tables of several sizes.

heading 'Scaling'
for size in $sizes; do
    orders scaled "$size"
    for pair in $(seq "$pairs"); do
        migration scaled "ALTER COLUMN id TYPE $(other_type scaled id integer bigint)" --verify off
        each=$(calculate "$took / $size * 1e6")
        record scaling "$size rows" 's per million rows' "$each" && record scaling "$size rows" 'MB of the tool' "$tool_memory"
        say "$size rows" "$took s, $each s for a million; the tool: $tool_cpu s of CPU, $tool_memory MB ($phases)"
    done
    sql 'DROP TABLE scaled'
done
