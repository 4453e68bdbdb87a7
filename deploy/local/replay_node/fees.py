"""Fees and reserves of the network on which the sessions were recorded, in drops."""

BASE_FEE = 10
RESERVE_BASE = 1_000_000
RESERVE_INCREMENT = 200_000
DROPS_PER_XRP = 1_000_000
