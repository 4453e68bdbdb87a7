"""Announcements at the edges of what is accepted, and all events that can come of them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from offer_lifecycle import AccountState, Header, LedgerFacts, Reserves, adopt_without_snapshot, fold_ledger
from order_events import Amount, CancelRequested, OrderEvent, OrderSubmitted

ACCOUNT = "rPCLzUmkstqY8GTYhVW4LUVxr1ic25J3GX"
ISSUER = "rrhyM3FTkZAu7RQBwnZ1zS79GEssxSmEd3"
LAST_LEDGER = 2**32 - 1
AMOUNTS = [
    Amount("XRP", Decimal(1)),
    Amount("XRP", Decimal(10**17)),
    Amount(f"USD.{ISSUER}", Decimal("1e-81")),
    Amount(f"USD.{ISSUER}", Decimal("9999999999999999e80")),
    Amount(f"{'F' * 40}.{ISSUER}", Decimal("1234567890.123456")),
    Amount("MPT." + "AB" * 24, Decimal(2**63 - 1)),
]
LONGEST_NAMES = ["\U0001f600" * 128, '"\\' * 64, "\ufffe" * 128]


def submitted(gets: Amount, pays: Amount, name: str | None = None, sequence: int = 1) -> OrderSubmitted:
    return OrderSubmitted(
        account=ACCOUNT,
        session_id=name,
        client_order_id=name,
        sequence=sequence,
        taker_gets=gets,
        taker_pays=pays,
        flags=LAST_LEDGER,
        expiration=datetime(2136, 2, 7, 6, 28, 15, tzinfo=UTC),
        transaction_hash="F" * 64,
        validated_ledger_index=99,
        last_ledger_sequence=101,
    )


def canceled(sequence: int, name: str | None = None) -> CancelRequested:
    return CancelRequested(
        account=ACCOUNT,
        session_id=name,
        sequence=sequence,
        transaction_hash="E" * 64,
        cancel_sequence=2**32 - 1,
    )


def extremes() -> Iterator[OrderSubmitted]:
    """Yield one announcement for each pair of extreme amounts, and one for each of the longest names."""
    pairs = [(gets, pays) for gets in AMOUNTS for pays in AMOUNTS if gets.asset != pays.asset]
    named = [(AMOUNTS[1], AMOUNTS[3], name) for name in LONGEST_NAMES]
    everything = [*((gets, pays, None) for gets, pays in pairs), *named]
    for number, (gets, pays, name) in enumerate(everything):
        yield submitted(gets, pays, name, LAST_LEDGER - number)


def followed() -> AccountState:
    """Return an account that was adopted at ledger 99 and has no orders."""
    return adopt_without_snapshot(network_id=0, account=ACCOUNT, header=_header(99))


def events_of(state: AccountState) -> list[OrderEvent]:
    """Return what is told of the account's announced orders when no ledger up to 101 holds them."""
    told: list[OrderEvent] = []
    for index in (100, 101):
        facts = LedgerFacts(
            header=_header(index), reserves=Reserves(base=1_000_000, increment=200_000), transactions=()
        )
        outcome = fold_ledger(state, facts)
        told += outcome.events
        state.apply(outcome)
    return told


def _header(index: int) -> Header:
    return Header(
        ledger_index=index,
        ledger_hash=f"{index:064X}",
        parent_hash=f"{index - 1:064X}",
        close_time=index * 4,
        parent_close_time=index * 4 - 4,
    )
