"""The recorded sessions by name, and what their `truth` means in our words."""

from order_events import OrderStatus, RemovalReason
from replay_node.recordings import FOLDERS, RECORDINGS

SCRIPTED = sorted(
    path.name.removesuffix(".json.gz")
    for path in RECORDINGS.glob("*.json.gz")
    if not path.name.startswith("random_")
)
RANDOM = sorted(path.name.removesuffix(".json.gz") for path in RECORDINGS.glob("random_*.json.gz"))
SESSIONS_OF_2026 = sorted(path.name.removesuffix(".json.gz") for path in FOLDERS[1].glob("*.json.gz"))
"""Sessions of this year's ledger: MPTs, sponsors, Batches, hybrid orders, domains, delegates."""

LIVE = {OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED}
ENDS: dict[str, tuple[set[OrderStatus], set[RemovalReason | None]]] = {
    "open": (LIVE, {None}),
    "filled": ({OrderStatus.FILLED}, {RemovalReason.FILLED}),
    "canceled": ({OrderStatus.CANCELED}, {RemovalReason.CANCELED, RemovalReason.KILLED}),
    "replaced": ({OrderStatus.CANCELED}, {RemovalReason.REPLACED}),
    "expired": ({OrderStatus.EXPIRED}, {RemovalReason.EXPIRED}),
    "unfunded": ({OrderStatus.REMOVED}, {RemovalReason.UNFUNDED}),
    "self_crossed": ({OrderStatus.REMOVED}, {RemovalReason.SELF_CROSSED}),
    "rejected": ({OrderStatus.REJECTED}, {None}),
    "never_placed": ({OrderStatus.LOST}, {RemovalReason.UNKNOWN}),
    "account_deleted": ({OrderStatus.REMOVED}, {RemovalReason.ACCOUNT_DELETED}),
}
"""By the truth's `state`: the statuses and the reasons that say the same."""

FORGIVING = {
    **ENDS,
    "unfunded": (
        {OrderStatus.REMOVED},
        {RemovalReason.UNFUNDED, RemovalReason.FROZEN, RemovalReason.OUT_OF_DOMAIN},
    ),
    "never_placed": (
        {OrderStatus.LOST, OrderStatus.REJECTED},
        {RemovalReason.UNKNOWN, None},
    ),
}
"""The same for the sessions of 2026: their `want` says which cause it was where `state` has no word."""
