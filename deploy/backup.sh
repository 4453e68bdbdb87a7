#!/bin/sh
# Copy the bus and then the database of this deployment into DIRECTORY/<UTC time>, and keep the newest KEEP copies
# (14). While the bus is copied fills wait, some seconds; they come when it is back. For cron:
#
#   17 3 * * * cd /srv/fillproof && deploy/backup.sh /var/backups/fillproof
#
#   deploy/backup.sh DIRECTORY [KEEP]
set -eu
cd "$(dirname "$0")/.."
case "$#:${2:-14}" in
[12]:*[!0-9]* | [12]:0 | 0:* | [3-9]:*)
    echo "backup: expected DIRECTORY and how many copies to keep, 1 or more; found: $*" >&2
    exit 2
    ;;
esac
compose=${COMPOSE:-$(docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)}
umask 077
mkdir -p "$1"
copy=$1/$(date -u +%Y%m%dT%H%M%SZ)
unfinished=$copy.unfinished
mkdir "$unfinished"
servers=$($compose config --services | grep -E '^nats(-[0-9])?$' | sort)

trap '$compose start $servers' EXIT
trap 'exit 143' INT TERM
$compose stop $servers
for server in $servers; do
    docker cp "$($compose ps -q -a "$server")":/data/. - >"$unfinished/$server.tar"
done
$compose start $servers
trap - EXIT

$compose exec -T postgres pg_dump -U owner -Fc fillproof >"$unfinished/fillproof.dump"
$compose exec -T postgres pg_restore --list <"$unfinished/fillproof.dump" >/dev/null # it can be read again
mv "$unfinished" "$copy"
echo "backup: $copy"
find "$1" -mindepth 1 -maxdepth 1 -name '????????T??????Z' | sort -r | tail -n "+$((${2:-14} + 1))" | xargs -r rm -rf
