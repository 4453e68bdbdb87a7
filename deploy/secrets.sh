#!/bin/sh
# Make what is missing in secrets/: one random password for each user of the bus and of the database. A file that is
# there stays. Nobody but their owner enters the directory; the files themselves can be read by all, because Docker
# shows them to containers, whose users are others, with the rights that they have here.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets
cd secrets

password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

write() {
    [ -e "$1" ] || printf '%s\n' "$2" >"$1"
    chmod 0444 "$1"
}

if [ ! -e nats_passwords ]; then
    for user in operator reconciler audit_writer engine; do
        secret=$(password)
        printf 'PASSWORD_OF_%s: "%s"\n' "$(echo "$user" | tr '[:lower:]' '[:upper:]')" "$secret" >>nats_passwords.new
        rm -f "${user}_nats_url"
        write "${user}_nats_url" "nats://$user:$secret@nats:4222"
    done
    mv nats_passwords.new nats_passwords
fi
chmod 0444 nats_passwords
write owner_password "$(password)"
write owner_database_url "postgresql://owner:$(cat owner_password)@postgres:5432/fillproof"
write audit_writer_database_url "postgresql://audit_writer:$(password)@postgres:5432/fillproof"
write grafana_reader_password "$(password)"
write metrics_reader_password "$(password)"
write grafana_admin_password "$(password)"
