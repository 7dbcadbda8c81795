#!/bin/sh
# Installs the build into a staging folder and uses what lies there: check-install.sh FOLDER (installed with PREFIX=/usr).
set -u
stage=$1
passed=0 failed=0

expect() { # name, wanted output, command...
    name=$1 wanted=$2
    shift 2
    if got=$("$@" 2>&1) && [ "$got" = "$wanted" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n    expected: %s\n    got:      %s\n' "$name" "$wanted" "$got"
    fi
}

example='print(torch.arange(3) + 1)'
expect 'the installed program' 'tensor([1, 2, 3])' "$stage/usr/bin/tide" -e "$example"
expect 'the module in a stock interpreter' 'tensor([1, 2, 3])' \
    env LUA_CPATH="$stage/usr/lib/lua/5.4/?.so" lua5.4 -e "torch = require 'torch' $example"
expect 'the module keeps to itself' 'nil' \
    env LUA_CPATH="$stage/usr/lib/lua/5.4/?.so" lua5.4 -e "require 'torch' print(nn)"
expect 'the manual page' '.TH TIDE 1' grep -o '^.TH TIDE 1' "$stage/usr/share/man/man1/tide.1"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
