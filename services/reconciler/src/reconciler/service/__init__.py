"""Following accounts: read validated ledgers without a gap, fold, publish, commit."""
