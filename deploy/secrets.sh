#!/bin/sh
# Make what is missing in secrets/: one random password for each user of the bus and of the database. A file that is
# there stays. Nobody but their owner enters the directory; the files themselves can be read by all, because Docker
# shows them to containers, whose users are others, with the rights that they have here.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets
cd secrets

# An Ed25519 key as signed notes have it: its name, and the file of the private key. The public one goes to
# verifier_keys, where earlier ones stay: what they have signed can still be checked.
signing_key() {
    if [ ! -e "$2" ]; then
        command -v openssl >/dev/null || {
            echo "expected openssl, which makes the keys that sign the audit log, found none: install it" >&2
            exit 1
        }
        openssl genpkey -algorithm ed25519 -outform DER -out key.new
        tail -c 32 key.new >seed.new
        openssl pkey -inform DER -in key.new -pubout -outform DER | tail -c 32 >public.new
        hash=$({ printf '%s\n\001' "$1" && cat public.new; } | openssl dgst -sha256 -r | cut -c 1-8)
        touch verifier_keys
        chmod u+w verifier_keys
        printf '%s+%s+%s\n' "$1" "$hash" "$({ printf '\001' && cat public.new; } | openssl base64 -A)" >>verifier_keys
        printf 'PRIVATE+KEY+%s+%s+%s\n' "$1" "$hash" "$({ printf '\001' && cat seed.new; } | openssl base64 -A)" >"$2"
        rm key.new seed.new public.new
    fi
    chmod 0444 "$2" verifier_keys
}

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
write grafana_admin_password "$(password)"
signing_key "${FILLPROOF_LOG_NAME:-fillproof/audit}" checkpoint_signing_key
signing_key "${FILLPROOF_OPERATOR:-operator}" operator_signing_key
