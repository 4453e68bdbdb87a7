#!/bin/sh
# `make test-compose`: the deployment on a real Docker engine. Where there is none, one is installed from Debian and
# started for the tests if we are root; where that can't be, it says so and ends with 0: only the deployment itself
# can fail. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin:/sbin # where Debian has dockerd, debootstrap and iptables
log=$(mktemp -d)
engine=

skip() {
    echo "test-compose: skipped: $*"
    exit 0
}

finish() {
    [ -z "$engine" ] || kill "$engine" 2>/dev/null || true
    [ -z "$engine" ] || wait "$engine" 2>/dev/null || true
    rm -rf "$log"
}
trap finish EXIT
trap 'exit 143' INT TERM

installed() { command -v "$1" >/dev/null; }

if ! docker info >/dev/null 2>&1; then
    [ "$(id -u)" = 0 ] || skip "no Docker engine answers, and only root can start one"
    if ! { installed dockerd && installed docker-compose && installed debootstrap; }; then
        installed apt-get || skip "no Docker engine answers, and apt-get is not here to install one"
        echo "test-compose: installing an engine from Debian"
        { timeout 120 apt-get update && DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y \
            --no-install-recommends docker.io docker-compose debootstrap iptables; } >"$log/apt" 2>&1 ||
            skip "the engine could not be installed: $(tail -n 1 "$log/apt")"
    fi
    dockerd >"$log/dockerd" 2>&1 &
    engine=$!
    tries=0
    until docker info >/dev/null 2>&1; do
        tries=$((tries + 1))
        kill -0 "$engine" 2>/dev/null && [ "$tries" -lt 60 ] ||
            skip "the engine does not start here: $(tail -n 1 "$log/dockerd")"
        sleep 0.5
    done
    echo "test-compose: an engine was started for the tests"
fi

export DOCKER_BUILDKIT=0
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
# a stand-in that an earlier version has built has no entrypoint of the official name
if docker image inspect postgres:18 >/dev/null 2>&1; then
    docker run --rm --entrypoint test postgres:18 -x /usr/local/bin/docker-entrypoint.sh || docker rmi --force postgres:18 >/dev/null
fi
for image in python:3.11-slim nats:2.15-alpine postgres:18 prom/prometheus:v3.13.5; do
    docker image inspect "$image" >/dev/null 2>&1 && continue
    installed debootstrap || skip "no image $image, and no debootstrap to build a stand-in"
    timeout 400 tests/compose/stand_ins/build.sh || skip "the stand-ins for the base images could not be built"
    break
done
docker run --rm --network host --entrypoint python python:3.11-slim -m pip --disable-pip-version-check download \
    --quiet --no-deps --dest /root tomli >"$log/index" 2>&1 ||
    skip "a container reaches no package index: $(tail -n 1 "$log/index")"
for target in reconciler audit-writer prepare console demo nats; do
    echo "test-compose: image $target"
    docker build --quiet --network host --file deploy/Dockerfile --target "$target" --build-arg "VERSION=$version" \
        --tag "fillproof/$target" . >"$log/build" 2>&1 || { cat "$log/build" >&2; exit 1; }
done
export FILLPROOF_TEST_COMPOSE=1 PYTHONPATH=tests/compose
# The upgrade test begins with the services as an earlier commit has them, where it is asked for and the checkout has its
# history.
earlier=$(sed -n 's/^EARLIER = "\(.*\)"/\1/p' tests/compose/test_care.py)
if .venv/bin/pytest --quiet --collect-only tests/compose "$@" 2>/dev/null | grep -q '\[earlier\]' &&
    git cat-file -e "$earlier" 2>/dev/null; then
    mkdir "$log/earlier"
    git archive "$earlier" | tar -x -C "$log/earlier"
    for target in reconciler audit-writer; do
        echo "test-compose: image $target, as of $earlier"
        docker build --quiet --network host --file "$log/earlier/deploy/Dockerfile" --target "$target" \
            --tag "fillproof/$target:earlier" "$log/earlier" >"$log/build" 2>&1 || { cat "$log/build" >&2; exit 1; }
    done
fi
.venv/bin/pytest --quiet tests/compose "$@"
