#!/bin/sh
# Data flows down: repl -> lang -> engine -> backend. Fails when an #include looks up the house, or past a layer's one header.
set -u
cd "$(dirname "$0")/.." || exit 2

# $1 rule, $2 folders to look in, $3 what to look for, $4 what of it is allowed
status=0
forbid() {
    # shellcheck disable=SC2086  # folders are words
    found=$(grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$3" $2 2>/dev/null |
        if [ -n "${4-}" ]; then grep -vE "[<\"]$4[>\"]"; else cat; fi)
    if [ -n "$found" ]; then
        printf 'include rule broken: %s\n%s\n' "$1" "$found"
        status=1
    fi
}

forbid 'the engine knows neither lang/ nor repl/' engine '(\.\./)*(lang|repl)/'
forbid 'the engine knows no Lua' engine '(lua|lauxlib|lualib)\.h(pp)?'
forbid 'lang/ does not know repl/' lang '(\.\./)*repl/'
forbid 'lang/ sees the engine through engine/engine.h' lang '(\.\./)*engine/' 'engine/engine\.h'
forbid 'repl/ sees only lang/lang.h below it' repl '(\.\./)*(engine|lang)/' 'lang/lang\.h'
forbid 'a backend does not know its sibling: cpu' engine/cpu '(\.\./|engine/)opencl/'
forbid 'a backend does not know its sibling: opencl' engine/opencl '(\.\./|engine/)cpu/'
[ "$status" = 0 ] && echo 'includes: data flows down'
exit "$status"
