"""A stand-in XRP Ledger node: one recorded session, served as the real node served it."""
