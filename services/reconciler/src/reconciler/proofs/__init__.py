"""What proves the ledgers, kept as it happens: validations, changed orders, anchors. Best effort."""
