"""What stands beside the fold: the deployment's policy, the balance check, the snapshot check."""
