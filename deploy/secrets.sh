#!/bin/sh
# Make what is missing in secrets/: one random password for each user of the bus and of the database. A file that is
# there stays. Nobody but their owner enters the directory; the files themselves can be read by all, because Docker
# shows them to containers, whose users are others, with the rights that they have here.
#
#   deploy/secrets.sh [--env-file FILE]
#
# Each engine of FILLPROOF_ENGINES gets an account of the bus with one user, `secrets/<engine>_nats_url`, and imports
# there what belongs to its ledger accounts, and nothing else. That part (secrets/nats_engines) is written anew each
# time, in place: Docker mounts the file and not its name.
set -eu
cd "$(dirname "$0")/.."
umask 077
env_file=.env
[ "${1-}" != --env-file ] || env_file=$2
mkdir -p secrets

password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

write() {
    [ -e "secrets/$1" ] || printf '%s\n' "$2" >"secrets/$1"
    chmod 0444 "secrets/$1"
}

# From the environment, or else as Compose reads it, from the file.
setting() {
    eval "value=\${$1-}"
    [ -n "$value" ] || [ ! -e "$env_file" ] || value=$(sed -n "s/^$1=//p" "$env_file" | tail -n 1 | tr -d "\"' \r")
    printf '%s' "$value"
}

# An Ed25519 key as signed notes have it: its name, and the file of the private key. The public one goes to
# verifier_keys, where earlier ones stay: what they have signed can still be checked.
signing_key() {
    keys=secrets/verifier_keys
    if [ ! -e "secrets/$2" ]; then
        command -v openssl >/dev/null || {
            echo "expected openssl, which makes the keys that sign the audit log, found none: install it" >&2
            exit 1
        }
        openssl genpkey -algorithm ed25519 -outform DER -out secrets/key.new
        tail -c 32 secrets/key.new >secrets/seed.new
        openssl pkey -inform DER -in secrets/key.new -pubout -outform DER | tail -c 32 >secrets/public.new
        hash=$({ printf '%s\n\001' "$1" && cat secrets/public.new; } | openssl dgst -sha256 -r | cut -c 1-8)
        public=$({ printf '\001' && cat secrets/public.new; } | openssl base64 -A)
        private=$({ printf '\001' && cat secrets/seed.new; } | openssl base64 -A)
        touch "$keys"
        chmod u+w "$keys"
        echo "$1+$hash+$public" >>"$keys"
        write "$2" "PRIVATE+KEY+$1+$hash+$private"
        rm secrets/key.new secrets/seed.new secrets/public.new
    fi
    chmod 0444 "$keys"
}

if [ ! -e secrets/nats_passwords ]; then
    for user in operator reconciler audit_writer; do
        secret=$(password)
        printf 'PASSWORD_OF_%s: "%s"\n' "$(echo "$user" | tr '[:lower:]' '[:upper:]')" "$secret" >>secrets/nats_passwords.new
        rm -f "secrets/${user}_nats_url"
        write "${user}_nats_url" "nats://$user:$secret@nats:4222"
    done
    rm -f secrets/engine_nats_url
    mv secrets/nats_passwords.new secrets/nats_passwords
fi
if grep -q '^PASSWORD_OF_ENGINE' secrets/nats_passwords; then # of a version before; the server refuses unused names
    sed '/^PASSWORD_OF_ENGINE/d' secrets/nats_passwords >secrets/nats_passwords.new
    mv -f secrets/nats_passwords.new secrets/nats_passwords
fi
chmod 0444 secrets/nats_passwords

engine_account() { # the account of the bus of engine $1, whose ledger accounts are $2, separated by +
    write "$1_nats_url" "nats://$1:$(password)@nats:4222"
    secret=$(sed "s/^[^:]*:[^:]*:\([^@]*\)@.*/\1/" "secrets/$1_nats_url")
    printf 'ENGINE_%s: {\n  limits: {max_connections: 64, max_subscriptions: 1024, max_payload: 65536}\n' "$1"
    printf '  users: [{user: %s, password: "%s"}]\n  imports: [\n' "$1" "$secret"
    for account in $(echo "$2" | tr + ' '); do
        durable="$1-$account"
        printf '    {service: {account: FILLPROOF, subject: "engine.*.*.%s"}}\n' "$account"
        printf '    {service: {account: FILLPROOF, subject: "$JS.ACK.ORDERS.%s.>"}}\n' "$durable"
        subject="API.DIRECT.GET.KV_permission.\$KV.permission.*.$account"
        printf '    {service: {account: FILLPROOF, subject: "$JS.%s"}, to: "$JS.fillproof.%s"}\n' "$subject" "$subject"
        for what in INFO MSG.NEXT; do
            subject="API.CONSUMER.$what.ORDERS.$durable"
            printf '    {service: {account: FILLPROOF, subject: "$JS.%s"}, to: "$JS.fillproof.%s"}\n' "$subject" "$subject"
        done
    done
    printf '  ]\n}\n'
}

engines=$(setting FILLPROOF_ENGINES)
[ -n "$engines" ] || engines="engine:$(setting FILLPROOF_ACCOUNTS | tr , +)"
engines=$(echo "$engines" | tr , ' ')
for engine in $engines; do
    case ${engine%%:*}@${engine#*:} in
    *[!a-z0-9_]*@* | *@*[!A-Za-z0-9+]* | [!a-z]* | *@ | "$engine@$engine" | operator@* | reconciler@* | audit_writer@*)
        echo "FILLPROOF_ENGINES: expected NAME:ACCOUNT+ACCOUNT, NAME in lower case and no service's, found $engine" >&2
        exit 2
        ;;
    esac
done
for engine in $engines; do engine_account "${engine%%:*}" "${engine#*:}"; done >secrets/nats_engines.new
[ ! -e secrets/nats_engines ] || chmod 0644 secrets/nats_engines
cat secrets/nats_engines.new >secrets/nats_engines
rm secrets/nats_engines.new
chmod 0444 secrets/nats_engines

write owner_password "$(password)"
write owner_database_url "postgresql://owner:$(cat secrets/owner_password)@postgres:5432/fillproof"
write audit_writer_database_url "postgresql://audit_writer:$(password)@postgres:5432/fillproof"
write grafana_reader_password "$(password)"
write metrics_reader_password "$(password)"
write desk_password "$(password)"
write desk_database_url "postgresql://desk:$(cat secrets/desk_password)@postgres:5432/fillproof"
write grafana_admin_password "$(password)"
write smtp_password "" # the mail server's, where FILLPROOF_SMTP_USER is set
signing_key "$(setting FILLPROOF_LOG_NAME | grep . || echo fillproof/audit)" checkpoint_signing_key
signing_key "$(setting FILLPROOF_OPERATOR | grep . || echo operator)" operator_signing_key
