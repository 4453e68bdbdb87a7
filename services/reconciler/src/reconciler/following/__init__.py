"""A ledger closes: an account's transactions are read without a gap, folded, published, and committed."""
