"""What is kept of an account between two ledgers, and how it is written down.

One key holds the account's record with the cursor, how far the engine's announcements were applied, where
it stands with its deployment's policy, and the disappearances that the bus still has to take; one key each
holds an order. While the account is halted, a notice for the operator lies beside them. Under
`gap.<ledger>` the same is kept once more for each gap that is not healed: the account as it was when the
gap began.
"""

from collections.abc import Iterable, Mapping

import msgspec

from offer_lifecycle import AccountRecord, AccountState, Gap, LedgerOutcome, Order, UnexplainedRemoval
from order_events import HistoryGap, OrderDisappeared, encode
from order_events.subjects import HALT_KEY, RESUME_KEY
from reconciler.ports.bus import Kept
from reconciler.safety.policy import Standing

ACCOUNT_KEY = "account"
_ORDER_KEY = "order."


class KeptAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The value of the key `account`."""

    record: AccountRecord
    engine_sequence: int
    """Of stream ENGINE: the last message that is applied."""
    owed: tuple[OrderDisappeared, ...] = ()
    """Disappearances offered to the bus and not acknowledged yet, oldest first."""
    standing: Standing = Standing()
    gaps: tuple[Gap, ...] = ()
    """Ledgers that no server could show so far."""
    unexplained_removals: tuple[UnexplainedRemoval, ...] = msgspec.field(name="doubts", default=())
    """Removals that are asked about again, oldest first."""


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What is told and written beside an outcome's own events and orders."""

    gaps: tuple[Gap, ...]
    """Those that are open from now on."""
    unexplained_removals: tuple[UnexplainedRemoval, ...]
    events: tuple[HistoryGap, ...] = ()
    values: Mapping[str, bytes] = {}
    deleted: tuple[str, ...] = ()
    owed: tuple[OrderDisappeared, ...] = ()
    """Disappearances in a healed gap that the bus has not taken."""


_account_decoder = msgspec.json.Decoder(KeptAccount)
_order_decoder = msgspec.json.Decoder(Order)
_encoder = msgspec.json.Encoder(order="deterministic")


class StateUnreadable(Exception):
    """The bucket holds something else than this version's records."""


def read_kept(kept: Kept) -> tuple[KeptAccount, AccountState] | None:
    """Return the account as it was committed; None if it never was.

    Raises:
        StateUnreadable: naming the key.

    """
    if ACCOUNT_KEY not in kept.values:
        return None
    key = ACCOUNT_KEY
    try:
        account = _account_decoder.decode(kept.values[key])
        orders = []
        for key, value in kept.values.items():
            if key.startswith(_ORDER_KEY):
                orders.append(_order_decoder.decode(value))
    except msgspec.DecodeError as error:
        raise StateUnreadable(
            f"expected a record of this version in key {key}, found something else ({error}); "
            "run the version that wrote it, or delete the account's keys to adopt it afresh"
        ) from error
    return account, AccountState(account.record, orders)


def account_value(account: KeptAccount) -> bytes:
    """Write the key `account`."""
    return _encoder.encode(account)


def order_values(orders: Mapping[int, Order]) -> dict[str, bytes]:
    """Write the orders, each with its key."""
    return {order_key(sequence): _encoder.encode(order) for sequence, order in orders.items()}


def order_key(sequence: int) -> str:
    """Name the key of an order."""
    return f"{_ORDER_KEY}{sequence}"


def changed_orders(
    state: AccountState, outcome: LedgerOutcome | None, announced: Iterable[int]
) -> dict[int, Order]:
    """Return the orders to write: those that a ledger, if there was one, or the engine's word changed."""
    changed = {sequence: state.orders[sequence] for sequence in announced if sequence in state.orders}
    return {**changed, **(outcome.changed if outcome else {})}


def gap_key(gap: Gap) -> str:
    """Name what stands before the keys of the account as it was when the gap began."""
    return f"gap.{gap.first}"


def gap_values(gap: Gap, account: KeptAccount, orders: Mapping[int, Order]) -> dict[str, bytes]:
    """Write the account as it was when the gap began, or some of its orders."""
    values = {ACCOUNT_KEY: account_value(account), **order_values(orders)}
    return {f"{gap_key(gap)}.{key}": value for key, value in values.items()}


def gap_keys(gap: Gap, orders: Iterable[int]) -> tuple[str, ...]:
    """Name all the keys of the account as it was when the gap began."""
    return tuple(f"{gap_key(gap)}.{key}" for key in (ACCOUNT_KEY, *map(order_key, orders)))


def notices(before: Standing, after: Standing) -> tuple[dict[str, bytes], list[str]]:
    """Return what to write and what to delete of what lies there for the operator, and from him."""
    if after.halted is None:
        return {}, [] if before.halted is None else [HALT_KEY, RESUME_KEY]
    return ({} if before.halted is not None else {HALT_KEY: encode(after.halted)}), []
