#!/bin/sh
# Bring a copy that deploy/backup.sh has made into an empty deployment of the same version, and start it.
#
#   deploy/restore.sh DIRECTORY/<UTC time>
set -eu
cd "$(dirname "$0")/.."
[ "$#" = 1 ] && [ -f "$1/fillproof.dump" ] || {
    echo "restore: expected a directory that deploy/backup.sh has made, found: $*" >&2
    exit 2
}
compose=${COMPOSE:-$(docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)}
servers=$($compose config --services | grep -E '^nats(-[0-9])?$' | sort)
for server in $servers; do
    [ -f "$1/$server.tar" ] || {
        echo "restore: expected $server.tar in $1, found none: the copy is of another number of NATS servers" >&2
        exit 2
    }
done

$compose run --rm schema # makes the roles that the dump speaks of
events=$($compose exec -T postgres psql -U owner -At -c 'SELECT count(*) FROM order_event' fillproof)
[ "$events" = 0 ] || {
    echo "restore: expected an empty deployment, found one with $events events; remove it first (down --volumes)" >&2
    exit 2
}
$compose exec -T postgres dropdb -U owner fillproof
$compose exec -T postgres pg_restore -U owner --create --exit-on-error -d postgres <"$1/fillproof.dump"
$compose run --rm schema # the roles' passwords
$compose up --no-start $servers
for server in $servers; do
    docker cp - "$($compose ps -q -a "$server")":/data <"$1/$server.tar"
done
$compose up -d
