# What the scripts beside this file share. To be sourced.

# Says how to get Swift where it is missing or too old.
require_swift() {
    local version
    if ! command -v swift >/dev/null; then
        printf '%s: Swift is not installed (or not in PATH). Nothing was done.\n' "$0" >&2
        printf 'Install Swift 6.2 or newer: https://www.swift.org/install/linux/\n' >&2
        exit 1
    fi
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    if [ -z "$version" ] || [ "$(printf '%s\n' 6.2 "$version" | sort -V | head -n 1)" != 6.2 ]; then
        printf '%s: Swift %s is here, 6.2 or newer is needed. Nothing was done.\n' "$0" "${version:-(unknown)}" >&2
        printf 'Install it: https://www.swift.org/install/linux/\n' >&2
        exit 1
    fi
}

# require_own_cache DIRECTORY: in a directory that everybody can write to, somebody else might have been there first with
# programs of their own. Fails when it is another user's.
require_own_cache() {
    [ -e "$1" ] || return 0
    case $(stat -c %u "$1") in
    0 | "$(id -u)") ;;
    *) return 1 ;;
    esac
}
