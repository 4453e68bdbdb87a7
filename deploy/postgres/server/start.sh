#!/bin/sh
# Start PostgreSQL; with FILLPROOF_TLS=true it is reached from elsewhere by TLS alone.
set -eu
if [ "${FILLPROOF_TLS:-false}" = true ]; then
    # the server takes no key that others may read
    install -m 0600 /run/secrets/postgres_key /tmp/postgres_key
    set -- "$@" -c ssl=on -c ssl_cert_file=/run/secrets/postgres_certificate -c ssl_key_file=/tmp/postgres_key \
        -c hba_file=/etc/fillproof/pg_hba.conf
fi
exec docker-entrypoint.sh postgres "$@"
