#!/bin/sh
# Start the bus; arguments go to nats-server (compose.cluster.yaml). Up to version 0.1 its users had no account of
# their own, and the server kept their streams in $G: they are moved to the services' account once.
set -eu
streams=/data/jetstream
if [ -d "$streams/\$G" ] && [ ! -e "$streams/FILLPROOF" ]; then
    mv "$streams/\$G" "$streams/FILLPROOF"
fi
# nats.conf reads it; the quotes keep the colon
export MONITORING="\"${FILLPROOF_NATS_MONITORING:-nats-watch:8222}\""
if [ "${FILLPROOF_TLS:-false}" = true ]; then
    set -- "$@" --tls --tlscert=/run/secrets/nats_certificate --tlskey=/run/secrets/nats_key
fi
exec nats-server --config /etc/nats/nats.conf "$@"
