"""Fees and reserves of the network on which the sessions were recorded, in drops."""

BASE_FEE = 10
RESERVE_BASE = 1_000_000
RESERVE_INCREMENT = 200_000
DROPS_PER_XRP = 1_000_000
FEE_SETTINGS = {
    "BaseFeeDrops": str(BASE_FEE),
    "Flags": 0,
    "LedgerEntryType": "FeeSettings",
    "ReserveBaseDrops": str(RESERVE_BASE),
    "ReserveIncrementDrops": str(RESERVE_INCREMENT),
    "index": "4BC50C9B0D8515D3EAAE1E74B29A95804346C491EE1A95BF25E4AAB854A6A651",
}
"""The ledger's entry of them: the sessions saw no vote."""
