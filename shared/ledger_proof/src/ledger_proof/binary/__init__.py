"""The ledger's binary format, as far as the kernel and a proof read it."""
