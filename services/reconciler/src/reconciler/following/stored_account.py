"""What is stored of an account in the state bucket, and how it is written and read.

The key `account` holds the record with the cursor, how far the engine's announcements are applied, what the
deployment's policy has to remember, and the disappearances that the bus has not acknowledged. Each order has
a key of its own. While the account is halted, a notice for the operator lies beside them. Under
`gap.<ledger>` the account is stored once more for each open history gap, as it was when that gap began.
"""

from collections.abc import Iterable, Mapping

import msgspec

from offer_lifecycle import AccountRecord, AccountState, Gap, LedgerOutcome, Order, UnexplainedRemoval
from order_events import HistoryGap, OrderDisappeared, encode
from order_events.subjects import HALT_KEY, RESUME_KEY
from reconciler.following.orders_digest import OrdersDigest
from reconciler.ports.bus import EngineMark, StoredValues
from reconciler.safety.policy import PolicyState

ACCOUNT_KEY = "account"
_ORDER_KEY = "order."


class StoredAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The value of the key `account`.

    The names in the JSON text are those of the first version: an older and a newer reconciler read each
    other's records, whichever of them takes the account over.
    """

    record: AccountRecord
    engine_sequence: int
    """Sequence in stream ENGINE of the last announcement that is applied."""
    engine_mark: EngineMark | None = None
    """A message of the stream not after it: by it the stream is known again; None: of an earlier version."""
    orders: OrdersDigest | None = None
    """What the orders' values must add up to; None: of an earlier version."""
    unacknowledged: tuple[OrderDisappeared, ...] = msgspec.field(name="owed", default=())
    """Disappearances that were offered to the bus and not acknowledged yet, oldest first."""
    policy_state: PolicyState = msgspec.field(name="standing", default=PolicyState())
    history_gaps: tuple[Gap, ...] = msgspec.field(name="gaps", default=())
    """Ledgers that no server could show so far."""
    unexplained_removals: tuple[UnexplainedRemoval, ...] = msgspec.field(name="doubts", default=())
    """Removals that no rule explains so far, oldest first: the servers are asked again about them."""


class CommittedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account up to its cursor, as it is committed: its stored record and its orders."""

    stored: StoredAccount
    state: AccountState
    """For reading only: nobody but the account's follower changes it."""

    @property
    def cursor(self) -> int:
        """The last ledger that is folded, published and committed."""
        return self.stored.record.ledger_index


def cursor_of(committed: CommittedAccount | None) -> int:
    """Return the account's cursor; 0: it is not adopted yet."""
    return 0 if committed is None else committed.cursor


class ExtraWrites(msgspec.Struct, frozen=True, kw_only=True):
    """What one commit publishes and writes besides a ledger's own events and orders."""

    history_gaps: tuple[Gap, ...]
    """The gaps that are open after the commit."""
    unexplained_removals: tuple[UnexplainedRemoval, ...]
    """The removals that are unexplained after the commit, oldest first."""
    events: tuple[HistoryGap, ...] = ()
    values: Mapping[str, bytes] = {}
    deleted: tuple[str, ...] = ()
    unacknowledged: tuple[OrderDisappeared, ...] = ()
    """Disappearances found by a backfill that the bus has not acknowledged."""


_account_decoder = msgspec.json.Decoder(StoredAccount)
_order_decoder = msgspec.json.Decoder(Order)
_encoder = msgspec.json.Encoder(order="deterministic")


class StateUnreadable(Exception):
    """The state bucket holds a value of an account that this version cannot read."""


def read_account(found: StoredValues) -> CommittedAccount | None:
    """Return the account as it was committed; None if it never was.

    Raises:
        StateUnreadable: naming the key.

    """
    if ACCOUNT_KEY not in found.values:
        return None
    key = ACCOUNT_KEY
    try:
        stored = _account_decoder.decode(found.values[key])
        orders = []
        for key, value in found.values.items():
            if key.startswith(_ORDER_KEY):
                orders.append(_order_decoder.decode(value))
    except msgspec.DecodeError as error:
        raise StateUnreadable(
            f"expected a record of this version in key {key}, found something else ({error}); "
            "run the version that wrote it, or delete the account's keys to adopt it afresh"
        ) from error
    return CommittedAccount(stored=stored, state=AccountState(stored.record, orders))


def account_value(account: StoredAccount) -> bytes:
    """Return the value of the key `account`."""
    # Members are sorted by their names as texts; of `early_cancels` they are numbers
    return _encoder.encode(msgspec.to_builtins(account, str_keys=True))


def order_values(orders: Mapping[int, Order]) -> dict[str, bytes]:
    """Return the orders' values by key."""
    return {order_key(sequence): _encoder.encode(order) for sequence, order in orders.items()}


def order_values_in(found: StoredValues) -> dict[str, bytes]:
    """Return the orders' values as they are stored, by key."""
    return {key: value for key, value in found.values.items() if key.startswith(_ORDER_KEY)}


def order_key(sequence: int) -> str:
    """Return the key of an order."""
    return f"{_ORDER_KEY}{sequence}"


def changed_orders(
    state: AccountState, outcome: LedgerOutcome | None, touched: Iterable[int]
) -> dict[int, Order]:
    """Return the orders to write: the `touched` ones, and those that the ledger changed, if there was one."""
    changed = {sequence: state.orders[sequence] for sequence in touched if sequence in state.orders}
    return {**changed, **(outcome.changed if outcome else {})}


def gap_prefix(gap: Gap) -> str:
    """Return what the keys of the account as it was when the gap began are preceded by."""
    return f"gap.{gap.first}"


def gap_values(gap: Gap, account: StoredAccount, orders: Mapping[int, Order]) -> dict[str, bytes]:
    """Return the values, by key, of the account as it was when the gap began, or of some of its orders."""
    values = {ACCOUNT_KEY: account_value(account), **order_values(orders)}
    return {f"{gap_prefix(gap)}.{key}": value for key, value in values.items()}


def gap_keys(gap: Gap, orders: Iterable[int]) -> tuple[str, ...]:
    """Return all keys of the account as it was when the gap began."""
    return tuple(f"{gap_prefix(gap)}.{key}" for key in (ACCOUNT_KEY, *map(order_key, orders)))


def halt_notice(before: PolicyState, after: PolicyState) -> tuple[dict[str, bytes], list[str]]:
    """Return the values to write and the keys to delete so that an operator finds the halt while it lasts."""
    if after.halted is None:
        return {}, [] if before.halted is None else [HALT_KEY, RESUME_KEY]
    return ({} if after.halted == before.halted else {HALT_KEY: encode(after.halted)}), []
