"""Whether the audit tables still say what was once stored: `fillproof verify`.

`chain.py` follows the chain of digests (pure), `tables.py` holds every row against it, `on_ledger.py` holds
rows against the ledger's own transactions.
"""
