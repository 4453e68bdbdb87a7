#!/bin/sh
# Start the bus. Up to version 0.1 its users had no account of their own, and the server kept their streams in $G: they
# are moved to the services' account once.
set -eu
streams=/data/jetstream
if [ -d "$streams/\$G" ] && [ ! -e "$streams/FILLPROOF" ]; then
    mv "$streams/\$G" "$streams/FILLPROOF"
fi
exec nats-server --config /etc/nats/nats.conf
