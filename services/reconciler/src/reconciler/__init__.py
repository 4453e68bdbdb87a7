"""The reconciler: follows accounts through validated ledgers and publishes what became of their orders."""
