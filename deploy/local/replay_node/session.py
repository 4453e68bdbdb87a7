"""Reading a recorded session: what one real node said, ledger by ledger."""

from __future__ import annotations

import gzip
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]

_HEADER_FIELDS = ("ledger_hash", "parent_hash", "close_time", "close_time_iso", "parent_close_time")


class BadSession(Exception):
    """The file is no recorded session. The text says what was expected and what was found."""


class RecordedLedger(msgspec.Struct, frozen=True, kw_only=True):
    """One validated ledger as the node gave it.

    `header` and `transactions` (in the order in which they were applied) have the shape of api_version 1,
    `stream` is what a subscriber to all of the session's accounts received, `after` the accounts by role.
    """

    ledger_index: int
    header: Json
    transactions: tuple[Json, ...]
    stream: tuple[Json, ...]
    after: dict[str, Json]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A whole recording: ledgers oldest first, `accounts` by role, `orders` as the engine placed them."""

    name: str
    about: str
    accounts: dict[str, str]
    ledgers: Annotated[tuple[RecordedLedger, ...], msgspec.Meta(min_length=1)]
    orders: tuple[Json, ...]


def read_session(path: Path) -> Session:
    """Read a `.json` or `.json.gz` session.

    Raises:
        BadSession: the file can't be read, is no JSON, or is not laid out as a session.

    """
    try:
        session = msgspec.json.decode(_bytes(path), type=Session)
    except msgspec.DecodeError as error:
        raise BadSession(f"{path}: expected a recorded session in JSON, found: {error}") from error
    _check_order(path, session)
    for ledger in session.ledgers:
        _check_ledger(path, ledger)
    return session


def _bytes(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise BadSession(f"{path}: expected a readable .json or .json.gz session, found: {error}") from error


def _check_order(path: Path, session: Session) -> None:
    for before, after in pairwise(session.ledgers):
        if after.ledger_index <= before.ledger_index:
            raise BadSession(
                f"{path}: expected ledgers oldest first, "
                f"found {after.ledger_index} after {before.ledger_index}"
            )


def _check_ledger(path: Path, ledger: RecordedLedger) -> None:
    where = f"{path}: ledger {ledger.ledger_index}"
    missing = [field for field in _HEADER_FIELDS if field not in ledger.header]
    if missing:
        raise BadSession(f"{where}: expected a header as `ledger` gives it, found none of {missing}")
    for transaction in ledger.transactions:
        meta = transaction.get("metaData")
        if "hash" not in transaction or not isinstance(meta, dict) or "TransactionIndex" not in meta:
            raise BadSession(
                f"{where}: expected transactions with `hash` and `metaData`, found {sorted(transaction)}"
            )
