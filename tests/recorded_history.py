"""Recorded sessions as the histories of single accounts, for what holds for every history."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from replaying import DATA, session_path

from console.engine import announcements, engine_accounts
from offer_lifecycle import (
    AccountState,
    Header,
    LedgerFacts,
    LedgerOutcome,
    Reserves,
    Transaction,
    adopt_account,
    fold_ledger,
    read_transaction,
    sort_transactions,
)
from order_events import encode
from reconciler.following import stored_account
from reconciler.ports.bus import StoredValues
from replay_node.session import RecordedLedger, Session, read_session

Raw = dict[str, Any]
SESSIONS = sorted(path.name.removesuffix(".json.gz") for path in (DATA / "ledgers").glob("*.json.gz"))
LARGE = ("random_crowd_4", "random_crowd_5")
"""Two thousand transactions and more: followed once from end to end, not once for every example."""


class RecordedAccount:
    """One account of a session: how it begins, and what each ledger holds of it."""

    def __init__(self, name: str, account: str) -> None:
        session = _session(name)
        first, *later = session.ledgers
        role = next(role for role, address in session.accounts.items() if address == account)
        self.account = account
        self._shown = first.after.get(role) or {}
        self._first = _header(first)
        self._said = [event for event in announcements(session) if event.account == account]
        self.facts: list[LedgerFacts] = []
        self.records: dict[int, list[Raw]] = {}
        """What the facts were read from, by ledger."""
        self.stream: list[Raw] = []
        """Transactions as a subscriber received them; some came only after the next ledger had closed."""
        for ledger in later:
            read = [
                (read_transaction(raw, ledger_index=ledger.ledger_index), raw) for raw in ledger.transactions
            ]
            touching = [(tx, raw) for tx, raw in read if tx.touches(account)]
            self.records[ledger.ledger_index] = [raw for _, raw in touching]
            self.stream += [message for message in ledger.stream if message["type"] == "transaction"]
            self.facts.append(_facts(ledger, (tx for tx, _ in touching)))

    def adopted(self) -> AccountState:
        """Return the account at the first ledger, with all that its engine ever said."""
        state = adopt_account(
            network_id=0,
            account=self.account,
            header=self._first,
            account_data=self._shown.get("account_data"),
            lines=self._shown.get("lines", []),
            offers=self._shown.get("offers", []),
        )
        for event in self._said:
            state.announce(event)
        return state


@lru_cache(maxsize=256)
def recorded_account(name: str, account: str) -> RecordedAccount:
    """Return one account of a session by name and address; read once."""
    return RecordedAccount(name, account)


def accounts_of(name: str) -> list[str]:
    """Return the accounts that a session's engine trades on."""
    return engine_accounts(_session(name))


@lru_cache(maxsize=1)
def _session(name: str) -> Session:
    return read_session(session_path(name))


def follow(state: AccountState, ledgers: Iterable[LedgerFacts]) -> Iterator[LedgerOutcome]:
    """Fold ledger after ledger; the state goes along."""
    for facts in ledgers:
        outcome = fold_ledger(state, facts)
        state.apply(outcome)
        yield outcome


def with_transactions(facts: LedgerFacts, transactions: Sequence[Transaction]) -> LedgerFacts:
    """Return the same ledger with other transactions."""
    return msgspec.structs.replace(facts, transactions=tuple(transactions))


def copy_of(state: AccountState) -> AccountState:
    """Return the state as it stands now: what is done to it leaves the copy as it is."""
    return AccountState(state.record, state.orders.values())


def kept(state: AccountState) -> AccountState:
    """Return the state as another process finds it in the bucket."""
    record = stored_account.StoredAccount(record=state.record, engine_sequence=0)
    values = {
        stored_account.ACCOUNT_KEY: stored_account.account_value(record),
        **stored_account.order_values(state.orders),
    }
    found = stored_account.read_account(StoredValues(values=values, revision=1))
    assert found is not None
    return found.state


def told(outcomes: Iterable[LedgerOutcome]) -> list[bytes]:
    """Return the events as they go to the bus."""
    return [encode(event) for outcome in outcomes for event in outcome.events]


def _facts(ledger: RecordedLedger, transactions: Iterable[Transaction]) -> LedgerFacts:
    closed = next(message for message in ledger.stream if message["type"] == "ledgerClosed")
    reserves = Reserves(base=closed["reserve_base"], increment=closed["reserve_inc"])
    return LedgerFacts(
        header=_header(ledger), reserves=reserves, transactions=sort_transactions(transactions)
    )


def _header(ledger: RecordedLedger) -> Header:
    return Header(
        ledger_index=ledger.ledger_index,
        ledger_hash=ledger.header["ledger_hash"],
        parent_hash=ledger.header["parent_hash"],
        close_time=ledger.header["close_time"],
        parent_close_time=ledger.header["parent_close_time"],
    )
