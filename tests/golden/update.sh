#!/bin/sh
# update.sh NAME... - makes the expected output of golden tests anew.
#
#     sh tests/golden/update.sh replay/levels
#
# Look at the difference before you keep it: it is a change of behaviour.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${WEIR_BUILD:-$here/../../build}
[ $# -gt 0 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 64; }
conf=$(mktemp)
trap 'rm -f "$conf"' EXIT
for name in "$@"; do
    case $name in
        replay/*) "$build/weirctl" -c "$conf" reputation replay "$here/$name.tsv" \
                      >"$here/$name.jsonl" 2>/dev/null || [ $? -eq 65 ] ;;
        *) echo "update.sh: nobody knows how to make $name" >&2; exit 64 ;;
    esac
done
