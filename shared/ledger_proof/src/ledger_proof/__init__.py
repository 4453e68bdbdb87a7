"""What proves a ledger, a transaction in it and an order's whole life, and the check of such a proof."""
