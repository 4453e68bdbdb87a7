"""The binary forms of headers and transactions: what the ledger's hashes are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replay_node.session import Json

_NAMED_ANEW = frozenset({"DeliverMax"})
"""Fields that servers add beside the ledger's own: here a Payment's Amount by its later name."""


def header_blob(header: Json) -> str:
    """Return a header as `ledger_data` gives it, in hexadecimal."""
    close_times = [(int(header["parent_close_time"]), 4), (int(header["close_time"]), 4)]
    rounding = [(int(header["close_time_resolution"]), 1), (int(header["close_flags"]), 1)]
    hashes = "".join(header[name] for name in ("parent_hash", "transaction_hash", "account_hash"))
    return (
        _hex((int(header["ledger_index"]), 4), (int(header["total_coins"]), 8))
        + hashes
        + _hex(*close_times, *rounding)
    )


def transaction_blobs(raw: Json) -> Json:
    """Return a transaction and its metadata as an expanded binary ledger gives them."""
    # xrpl-py takes a second to import, and a node that is asked for JSON alone needs none of it.
    from xrpl.core.binarycodec import encode  # noqa: PLC0415

    return {"tx_blob": encode(_own(raw)), "meta_blob": encode(_own(raw["metaData"]))}


def _own(fields: Json) -> Json:
    """Return the ledger's own fields, which begin with a capital letter; servers add others in JSON."""
    return {name: value for name, value in fields.items() if name[0].isupper() and name not in _NAMED_ANEW}


def _hex(*numbers: tuple[int, int]) -> str:
    return "".join(number.to_bytes(size, "big").hex().upper() for number, size in numbers)
