"""What the reconciler needs of the world, in its own words."""
