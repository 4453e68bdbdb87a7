"""`fillproof compare`: a trading engine's own books held against the ledger."""
