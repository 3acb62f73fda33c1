#!/bin/sh
# The same script at three places of the internet: `roadblock exec` runs it there, and its exit status and output are the
# script's. On stderr curl says what it met, and roadblock by which rule.
set -eu
cd "$(dirname "$0")"
roadblock=${ROADBLOCK:-roadblock}
first=https://web.whatsapp.com/ second=https://www.wikipedia.org/

expect() {
    wanted=$1
    shift
    answered=$("$roadblock" exec ru/whatsapp-2026 "$@" -- ./first-page.sh "$first" "$second")
    if [ "$answered" != "$wanted" ]; then
        echo "FAILED: $* took $answered and not $wanted" >&2
        exit 1
    fi
    echo "ok: $* took $answered"
}

"$roadblock" doctor >&2
expect "$first" --phase before --vantage moscow
expect "$second" --phase full-block --vantage moscow
expect "$first" --phase full-block --vantage control
