# What was measured, as lines for people while it goes on, and as a Markdown table and JSON at the end. To be sourced.

figures=$directory/figures
: >"$figures"

heading() { printf '\n## %s\n' "$*"; }
say() { printf '%-22s %s\n' "$1" "${*:2}"; }

# record MEASUREMENT SUBJECT UNIT VALUE
record() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$figures"; }

# The figures of each subject: how many, their median, smallest and largest.
condensed() {
    awk -F '\t' '{ key = $1 FS $2 FS $3; if (!(key in n)) order[++keys] = key; v[key, ++n[key]] = $4 }
        END { for (k = 1; k <= keys; k++) { key = order[k]; c = n[key]
            for (i = 1; i <= c; i++) a[i] = v[key, i] + 0
            for (i = 2; i <= c; i++) { x = a[i]; for (j = i - 1; j > 0 && a[j] > x; j--) a[j + 1] = a[j]; a[j + 1] = x }
            median = c % 2 ? a[(c + 1) / 2] : (a[c / 2] + a[c / 2 + 1]) / 2
            printf "%s\t%d\t%g\t%g\t%g\n", key, c, median, a[1], a[c] } }' "$figures"
}

machine() {
    printf '%s cores (%s), %s GB of memory, %s, %s, release build' "$(nproc)" \
        "$(awk -F ': ' '/model name/ { print $2; exit }' /proc/cpuinfo)" "$(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" \
        "$(uname -sr)" "$("$bin/postgres" --version)"
}

markdown() {
    printf '# Measurements\n\n%s.\n\nThe server: %s.\n\n' "$(machine)" "$(printf '%s' "$settings" | tr '\n' ',' | sed 's/,/, /g')"
    printf '| measurement | of | unit | n | median | min | max |\n|---|---|---|---|---|---|---|\n'
    condensed | awk -F '\t' '{ printf "| %s | %s | %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5, $6, $7 }'
}
json() {
    printf '{"machine": "%s", "settings": "%s", "rows": %s, "figures": [' "$(machine)" "$(printf '%s' "$settings" | tr '\n' ',')" "$rows"
    condensed | awk -F '\t' '{ printf "%s\n  {\"measurement\": \"%s\", \"of\": \"%s\", \"unit\": \"%s\", \"n\": %s, \"median\": %s, \"min\": %s, \"max\": %s}",
        (NR > 1 ? "," : ""), $1, $2, $3, $4, $5, $6, $7 }'
    printf '\n]}\n'
}
