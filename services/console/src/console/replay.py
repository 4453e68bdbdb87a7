"""`fillproof replay`: a recorded session through the pure fold: no bus, no database, no node."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from console.engine import announcements, engine_accounts
from console.lines import OrderLine, order_lines
from offer_lifecycle import (
    AccountState,
    Header,
    LedgerFacts,
    Reserves,
    Transaction,
    adopt,
    fold,
    found,
    normalise,
)
from order_events import OrderEvent
from replay_node.session import RecordedLedger, Session

Watch = Callable[[Sequence[RecordedLedger]], Iterable[RecordedLedger]]


def replay(session: Session, watch: Watch = iter) -> Iterator[OrderLine]:
    """Fold the session's ledgers and yield what became of its orders.

    The ledgers are taken one by one from what `watch` makes of them, so that progress can be shown.
    """
    return order_lines(session.name, session.orders, _events(session, watch))


def _events(session: Session, watch: Watch) -> Iterator[OrderEvent]:
    states: dict[str, AccountState] = {}
    roles = {address: role for role, address in session.accounts.items()}
    first, *others = session.ledgers
    for account in engine_accounts(session):
        shown = first.after.get(roles.get(account, "")) or {}
        states[account] = adopt(
            network_id=0,
            account=account,
            header=_header(first),
            account_data=shown.get("account_data"),
            lines=shown.get("lines", []),
            offers=shown.get("offers", []),
        )
    for announcement in announcements(session):
        states[announcement.account].announce(announcement)
    for state in states.values():
        yield from found(state, _header(first))
    for ledger in watch(others):
        yield from _fold(ledger, states)


def _fold(ledger: RecordedLedger, states: dict[str, AccountState]) -> Iterator[OrderEvent]:
    transactions = [normalise(raw, ledger_index=ledger.ledger_index) for raw in ledger.transactions]
    touched = [_accounts(tx) for tx in transactions]
    for account, state in states.items():
        facts = LedgerFacts(
            header=_header(ledger),
            reserves=_reserves(ledger),
            transactions=tuple(
                tx for tx, accounts in zip(transactions, touched, strict=True) if account in accounts
            ),
        )
        outcome = fold(state, facts)
        yield from outcome.events
        state.apply(outcome)


def _accounts(tx: Transaction) -> set[str]:
    """Return whose offers, balances and trust lines the transaction changed."""
    accounts = {tx.account}
    for node in tx.nodes:
        accounts.add(node.fields.get("Account", ""))
        for limit in ("LowLimit", "HighLimit"):
            if limit in node.fields:
                accounts.add(node.fields[limit]["issuer"])
    return accounts


def _header(ledger: RecordedLedger) -> Header:
    return Header(
        ledger_index=ledger.ledger_index,
        ledger_hash=ledger.header["ledger_hash"],
        parent_hash=ledger.header["parent_hash"],
        close_time=ledger.header["close_time"],
        parent_close_time=ledger.header["parent_close_time"],
    )


def _reserves(ledger: RecordedLedger) -> Reserves:
    closed = next(message for message in ledger.stream if message["type"] == "ledgerClosed")
    return Reserves(base=closed["reserve_base"], increment=closed["reserve_inc"])
