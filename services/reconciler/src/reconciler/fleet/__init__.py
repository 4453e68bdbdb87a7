"""The fleet: accounts shared out among replicas, one task per account, and the monitor of the servers."""
