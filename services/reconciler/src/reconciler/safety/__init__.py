"""Safety of one account: the deployment's policy, the balance check, the snapshot check."""
