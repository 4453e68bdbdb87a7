"""What the reconciler lets an engine do on an account: values of the key-value bucket `permission`.

A value ends by itself: the reconciler writes it again every second or two, and the bus removes it after
`PERMISSION_SECONDS`. An engine that finds none, or one that is not written again, stops.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

PERMISSION_BUCKET = "permission"
PERMISSION_SECONDS = 5
"""How long a value holds after it was written."""


class Permission(StrEnum):
    """What an engine may do. Cancels are always allowed."""

    OK = "ok"
    REDUCE_ONLY = "reduce_only"
    """Only orders that make a position smaller: some of the account's orders are not explained yet."""
    STOP = "stop"
    """No new orders: what the engine knows of the account may be old or wrong."""


class TradingPermission(Struct, frozen=True, kw_only=True):
    """The permission of one account, by key `<network id>.<account>`."""

    version: Annotated[int, Meta(description="The version of this schema.")] = 1
    network_id: Annotated[int, Meta(description="The ledger's network id; 0 is the main network.")]
    account: Annotated[str, Meta(description="The account, a classic address.")]
    permission: Annotated[
        str,
        Meta(description="`ok`, `reduce_only` or `stop`; an engine stops at a word that it does not know."),
    ]
    cause: Annotated[
        str,
        Meta(
            description="`none`, `halted`, `balance_drift`, `set_aside`, `not_followed`, `behind`, "
            "`ledger_stale`, `unproven`, `unexplained` or `history_gap`; "
            "readers must accept words not listed here."
        ),
    ]
    reason: Annotated[str, Meta(description="What was expected and what was found; empty where it is `ok`.")]
    ledger_index: Annotated[
        int | None, Meta(description="The last validated ledger that was read for the account; null: none.")
    ]
    decided_at: Annotated[datetime, Meta(description="When this was written (UTC).")]
    until: Annotated[
        datetime,
        Meta(description="When it ends (UTC) unless it is written again; the bus removes it then."),
    ]


_decoder = msgspec.json.Decoder(TradingPermission)


def permission_key(network_id: int, account: str) -> str:
    """Return the account's key in the bucket."""
    return f"{network_id}.{account}"


def read_permission(value: bytes) -> Permission:
    """Return what an engine may do; what can't be read is a stop."""
    try:
        return Permission(_decoder.decode(value).permission)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return Permission.STOP
