#!/bin/sh
# Brings what tests need and Python does not: promtool; Grafana's own display code and the parser of AsyncAPI documents,
# both into .ops; the renderer of alert texts; Chromium. Says which way each went and never fails: tests that lack one are
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

if [ -d .ops/node_modules/@grafana/data ] && cmp -s .ops/package-lock.json tests/ops/display/package-lock.json; then
    echo "@grafana/data: there already"
elif mkdir -p .ops && cp tests/ops/display/package*.json .ops && command -v npm >/dev/null &&
    (cd .ops && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$log" 2>&1; then
    echo "@grafana/data: installed with npm"
else
    rm -rf .ops
    echo "@grafana/data: not installed (Node.js 18 and npm would do); its tests are skipped"
fi

if [ .ops/messages -nt tests/ops/messages/main.go ] && [ .ops/messages -nt tests/ops/messages/go.sum ]; then
    echo "renderer of alert texts: there already"
elif mkdir -p .ops && command -v go >/dev/null && (cd tests/ops/messages && go build -o ../../../.ops/messages .) >"$log" 2>&1; then
    echo "renderer of alert texts: built with Go"
else
    echo "renderer of alert texts: not built (Go 1.23 or newer would do); its tests are skipped"
fi

if [ -d .ops/asyncapi/node_modules ] && cmp -s .ops/asyncapi/package-lock.json tests/ops/asyncapi/package-lock.json; then
    echo "@asyncapi/parser: there already"
elif mkdir -p .ops/asyncapi && cp tests/ops/asyncapi/package*.json .ops/asyncapi && command -v npm >/dev/null &&
    (cd .ops/asyncapi && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$log" 2>&1; then
    echo "@asyncapi/parser: installed with npm"
else
    rm -rf .ops/asyncapi
    echo "@asyncapi/parser: not installed (Node.js 18 and npm would do); its tests are skipped"
fi

if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then
    echo "chromium: there already"
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null &&
    { apt-get update && apt-get install -y --no-install-recommends chromium; } >"$log" 2>&1; then
    echo "chromium: installed with apt-get"
else
    echo "chromium: not installed (root and apt-get would do: the package is chromium); its tests are skipped"
fi
