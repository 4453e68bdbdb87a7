#!/bin/sh
# Make what is missing in secrets/: one random password for each user of the bus and of the database. A file that is
# there stays. Nobody but their owner enters the directory; the files themselves can be read by all, because Docker
# shows them to containers, whose users are others, with the rights that they have here.
#
#   deploy/secrets.sh [--env-file FILE]
#
# Each engine of FILLPROOF_ENGINES gets an account of the bus with one user, `secrets/<engine>_nats_url`, and imports
# there what belongs to its ledger accounts, and nothing else. That part (secrets/nats_engines) is written anew each
# time, in place: Docker mounts the file and not its name. So are the URLs where FILLPROOF_NATS_SERVERS is set.
#
# For TLS there is an authority of the deployment's own (secrets/ca_certificate; secrets/ca_key is given to nobody),
# which signs for NATS and PostgreSQL.
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

require_openssl() {
    command -v openssl >/dev/null || {
        echo "expected openssl, which makes keys and certificates, found none: install it" >&2
        exit 1
    }
}

# An Ed25519 key as signed notes have it: its name, and the file of the private key. The public one goes to
# verifier_keys, where earlier ones stay: what they have signed can still be checked.
signing_key() {
    keys=secrets/verifier_keys
    if [ ! -e "secrets/$2" ]; then
        require_openssl
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

# The URLs of user $1 with password $2, one for each server of the bus.
bus_urls() {
    urls=
    for server in $servers; do urls="${urls:+$urls,}nats://$1:$2@$server"; done
    printf '%s' "$urls"
}

# The file of user $1: made with a new password, or given the servers that are set, with the password that it has.
write_bus_urls() {
    file=secrets/$1_nats_url
    if [ ! -e "$file" ]; then
        write "$1_nats_url" "$(bus_urls "$1" "$2")"
    elif [ -n "$set_servers" ]; then
        chmod 0644 "$file"
        urls=$(bus_urls "$1" "$(password_in "$file")")
        printf '%s\n' "$urls" >"$file"
        chmod 0444 "$file"
    fi
}

password_in() { sed 's/^[^:]*:[^:]*:\([^@]*\)@.*/\1/' "$1"; }

set_servers=$(setting FILLPROOF_NATS_SERVERS)
servers=$(echo "${set_servers:-nats:4222}" | tr , ' ')
for server in $servers; do
    case $server in
    *[!A-Za-z0-9.:-]* | :* | *: | *:*[!0-9]*)
        echo "FILLPROOF_NATS_SERVERS: expected HOST:PORT,HOST:PORT, found $server" >&2
        exit 2
        ;;
    *:*) ;;
    *)
        echo "FILLPROOF_NATS_SERVERS: expected HOST:PORT,HOST:PORT, found $server without a port" >&2
        exit 2
        ;;
    esac
done

if [ ! -e secrets/nats_passwords ]; then
    for user in operator reconciler audit_writer; do
        secret=$(password)
        printf 'PASSWORD_OF_%s: "%s"\n' "$(echo "$user" | tr '[:lower:]' '[:upper:]')" "$secret" >>secrets/nats_passwords.new
        rm -f "secrets/${user}_nats_url"
        write_bus_urls "$user" "$secret"
    done
    rm -f secrets/engine_nats_url
    mv secrets/nats_passwords.new secrets/nats_passwords
fi
if grep -q '^PASSWORD_OF_ENGINE' secrets/nats_passwords; then # of a version before; the server refuses unused names
    sed '/^PASSWORD_OF_ENGINE/d' secrets/nats_passwords >secrets/nats_passwords.new
    mv -f secrets/nats_passwords.new secrets/nats_passwords
fi
chmod 0444 secrets/nats_passwords
for user in operator reconciler audit_writer; do write_bus_urls "$user" ""; done

engine_account() { # the account of the bus of engine $1, whose ledger accounts are $2, separated by +
    write_bus_urls "$1" "$(password)"
    secret=$(password_in "secrets/$1_nats_url")
    printf 'ENGINE_%s: {\n  limits: {max_connections: 64, max_subscriptions: 1024, max_payload: 8192}\n' "$1"
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

# What openssl is told of the certificates; $1: the names of the server.
certificate_profile() {
    cat <<END
[req]
distinguished_name = name
prompt = no
[name]
CN = Fillproof
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
authorityKeyIdentifier = keyid
subjectAltName = $1
END
}

# The certificate of server $1 for the names $2, separated by space, and those of FILLPROOF_TLS_NAMES.
server_certificate() {
    [ ! -e "secrets/$1_certificate" ] || return 0
    names=
    for name in $2 $(setting FILLPROOF_TLS_NAMES | tr , ' '); do names="${names:+$names,}DNS:$name"; done
    certificate_profile "$names" >secrets/profile.new
    rm -f "secrets/$1_key"
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config secrets/profile.new \
        -subj "/CN=$1" -keyout "secrets/$1_key" -out secrets/request.new 2>/dev/null
    openssl x509 -req -in secrets/request.new -CA secrets/ca_certificate -CAkey secrets/ca_key -set_serial "0x$(password | cut -c 1-32)" \
        -days 3650 -extfile secrets/profile.new -extensions server -out "secrets/$1_certificate" 2>/dev/null
    chmod 0444 "secrets/$1_certificate" "secrets/$1_key"
    rm secrets/profile.new secrets/request.new
}

if [ ! -e secrets/ca_certificate ]; then
    require_openssl
    certificate_profile "DNS:unused" >secrets/profile.new
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -config secrets/profile.new \
        -extensions authority -subj "/CN=Fillproof deployment" -keyout secrets/ca_key -out secrets/ca_certificate 2>/dev/null
    chmod 0444 secrets/ca_certificate
    rm -f secrets/profile.new secrets/nats_certificate secrets/postgres_certificate # of another authority
fi
server_certificate nats "nats nats-2 nats-3"
server_certificate postgres postgres
