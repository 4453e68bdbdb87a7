"""What happens to orders while somebody watches: `run`, `tail` and `status`."""
