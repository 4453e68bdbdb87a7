"""Reading a recorded session: what one real node said, ledger by ledger."""

from __future__ import annotations

import gzip
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from replay_node.line_signs import are_turned, turned

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]


class BadSession(Exception):
    """The file is no recorded session. The text says what was expected and what was found."""


class RecordedLedger(msgspec.Struct, frozen=True, kw_only=True):
    """One validated ledger as the node gave it.

    `header` and `transactions` (in the order in which they were applied) have the shape of api_version 1,
    `stream` is what a subscriber to all of the session's accounts received, `after` the accounts by role,
    `state` what `ledger_entry` answered of other entries: each the request (`entry`) and the entry (`node`,
    null where there was none).
    """

    ledger_index: int
    header: Json
    transactions: tuple[Json, ...]
    stream: tuple[Json, ...]
    after: dict[str, Json]
    state: tuple[Json, ...] = ()


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
    _check_sequence(path, session)
    for ledger in session.ledgers:
        _check_ledger(f"{path}: ledger {ledger.ledger_index}", ledger)
    for place, order in enumerate(session.orders):
        _check(f"{path}: orders[{place}]", "an order with all its fields", order, _Order)
        if order["account"] not in session.accounts.values():
            raise BadSession(
                f"{path}: orders[{place}]: expected one of the session's accounts, found {order['account']}"
            )
    return _as_documented(session)


def _as_documented(session: Session) -> Session:
    """Return the session with its trust lines as `account_lines` is documented to show them."""
    ends = (session.ledgers[0], session.ledgers[-1])
    if not are_turned(line for ledger in ends for shown in ledger.after.values() for line in _lines(shown)):
        return session
    ledgers = []
    for ledger in session.ledgers:
        after = {
            role: shown | {"lines": [turned(line) for line in _lines(shown)]} if "lines" in shown else shown
            for role, shown in ledger.after.items()
        }
        ledgers.append(msgspec.structs.replace(ledger, after=after))
    return msgspec.structs.replace(session, ledgers=tuple(ledgers))


def _lines(shown: Json) -> list[Json]:
    lines: list[Json] = shown.get("lines", [])
    return lines


def _bytes(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise BadSession(f"{path}: expected a readable .json or .json.gz session, found: {error}") from error


def _check_sequence(path: Path, session: Session) -> None:
    for before, after in pairwise(session.ledgers):
        if after.ledger_index <= before.ledger_index:
            raise BadSession(
                f"{path}: expected ledgers oldest first, "
                f"found {after.ledger_index} after {before.ledger_index}"
            )


def _check_ledger(where: str, ledger: RecordedLedger) -> None:
    _check(where, "a header as `ledger` gives it", ledger.header, _Header)
    for transaction in ledger.transactions:
        _check(where, "transactions as `ledger` gives them expanded", transaction, _Transaction)
    for role, shown in ledger.after.items():
        expected = (
            "account_data, offers and lines as account_info, account_offers and account_lines give them"
        )
        _check(f"{where}: {role}", expected, shown, _Shown)
    for answer in ledger.state:
        _check(where, "state as `ledger_entry` answers it, each with `entry` and `node`", answer, _Answer)
    for message in ledger.stream:
        kind = _Closed if message.get("type") == "ledgerClosed" else _Message
        _check(where, "messages as the streams bring them", message, kind)


def _check(where: str, expected: str, found: object, kind: type[msgspec.Struct]) -> None:
    """Hold a part that stays as it was recorded against what the node and the engine read of it."""
    try:
        msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise BadSession(f"{where}: expected {expected}, found: {error}") from error


_UInt32 = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
_Drops = Annotated[str, msgspec.Meta(pattern=r"^\d+$")]
_Number = Annotated[str, msgspec.Meta(pattern=r"^-?\d+(\.\d+)?([eE][-+]?\d+)?$")]


class _IssuedAmount(msgspec.Struct):
    """Of a token, or of an MPT, which has neither currency nor issuer."""

    value: _Number


class _Header(msgspec.Struct):
    ledger_hash: str
    parent_hash: str
    close_time: _UInt32
    close_time_iso: str
    parent_close_time: _UInt32


class _Meta(msgspec.Struct, rename="pascal"):
    transaction_index: _UInt32
    transaction_result: str
    affected_nodes: list[Json]


class _Transaction(msgspec.Struct, rename="pascal"):
    hash: str = msgspec.field(name="hash")
    account: str
    transaction_type: str
    sequence: _UInt32
    fee: _Drops
    meta_data: _Meta = msgspec.field(name="metaData")


class _Message(msgspec.Struct):
    type: str


class _Closed(_Message):
    reserve_base: _UInt32
    reserve_inc: _UInt32


class _Root(msgspec.Struct, rename="pascal"):
    account: str
    balance: _Drops
    owner_count: _UInt32


class _Offer(msgspec.Struct, gc=False):
    seq: int
    flags: int
    quality: str
    taker_gets: str | Json  # whether they are amounts is not looked at: a session holds very many
    taker_pays: str | Json


class _Line(msgspec.Struct, gc=False):
    account: str
    currency: str
    balance: _Number
    limit: _Number
    limit_peer: _Number


class _Shown(msgspec.Struct, gc=False):
    """An account after a ledger; all absent where it is not there."""

    account_data: _Root | None = None
    offers: list[_Offer] = []
    lines: list[_Line] = []


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    """An entry of the ledger, as asked for and as answered."""

    entry: Json
    node: Json | None


class _Order(msgspec.Struct):
    """What the engine says of an order that it placed."""

    account: str
    sequence: _UInt32
    placed_tx: str | None
    taker_gets: _Drops | _IssuedAmount
    taker_pays: _Drops | _IssuedAmount
    flags: _UInt32
    expiration: _UInt32 | None
    cancel_tx: str | None
