"""Adapters: the ports on NATS JetStream and on the XRP Ledger."""
