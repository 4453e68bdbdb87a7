#!/bin/sh
# Brings what tests need and Python does not: promtool; into .ops Grafana's own display code, the parser of AsyncAPI
# documents and the renderer of alert texts; Chromium; PostgreSQL and PgBouncer from packages. Says which way each went and never fails: tests that lack one are
# skipped.
cd "$(dirname "$0")/../.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT

if command -v promtool >/dev/null; then
    echo "promtool: there already"
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null &&
    { apt-get update && apt-get install -y --no-install-recommends prometheus; } >"$log" 2>&1; then
    echo "promtool: installed with apt-get"
else
    echo "promtool: not installed (root and apt-get would do: the package is prometheus); its tests are skipped"
fi

# Debian's PostgreSQL, which has TLS and is older than the embedded one, and a pooler.
servers() { # what it is, its program, the package
    if [ -n "$(ls $2 2>/dev/null)" ]; then
        echo "$1: there already"
    elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get install -y --no-install-recommends "$3" >"$log" 2>&1; then
        echo "$1: installed with apt-get"
    else
        echo "$1: not installed (root and apt-get would do: the package is $3); its tests are skipped"
    fi
}

servers "PostgreSQL of the packages" "/usr/lib/postgresql/*/bin/initdb" postgresql
servers "PgBouncer" "/usr/sbin/pgbouncer" pgbouncer

# What stands in a package-lock.json, into a place below .ops.
bring() { # what it is, the folder of the lock, the place
    if [ -d ".ops/$3/node_modules" ] && cmp -s ".ops/$3/package-lock.json" "$2/package-lock.json"; then
        echo "$1: there already"
    elif mkdir -p ".ops/$3" && cp "$2"/package*.json ".ops/$3" && command -v npm >/dev/null &&
        (cd ".ops/$3" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$log" 2>&1; then
        echo "$1: installed with npm"
    else
        rm -rf ".ops/$3"
        echo "$1: not installed (Node.js 20 and npm would do); its tests are skipped"
    fi
}

bring "@grafana/data, the oldest" tests/ops/display/oldest oldest
bring "@grafana/data, the newest" tests/ops/display/newest newest
bring "@asyncapi/parser" tests/ops/asyncapi asyncapi

if [ .ops/messages -nt tests/ops/messages/main.go ] && [ .ops/messages -nt tests/ops/messages/go.sum ]; then
    echo "renderer of alert texts: there already"
elif mkdir -p .ops && command -v go >/dev/null && (cd tests/ops/messages && go build -o ../../../.ops/messages .) >"$log" 2>&1; then
    echo "renderer of alert texts: built with Go"
else
    echo "renderer of alert texts: not built (Go 1.23 or newer would do); its tests are skipped"
fi

if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then
    echo "chromium: there already"
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null &&
    { apt-get update && apt-get install -y --no-install-recommends chromium; } >"$log" 2>&1; then
    echo "chromium: installed with apt-get"
else
    echo "chromium: not installed (root and apt-get would do: the package is chromium); its tests are skipped"
fi
