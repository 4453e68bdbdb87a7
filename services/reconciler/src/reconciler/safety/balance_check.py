"""Whether an account's balances are what its transactions explain.

1. Every ledger: a transaction shows its balances before and after. They must be the ones held, and fills,
   fees and payments must explain the change.
2. Every so many ledgers, and at start: the balances held at a ledger must be those that a server shows there.

What differs is drift. A query that fails is no answer and no drift; and what the list of trust lines shows
counts only where the ledger entry itself, asked for on its own, says the same: a list may be cut short.
"""

import asyncio
import zlib
from collections.abc import Mapping
from decimal import Decimal

import msgspec
import structlog

from ledger_client.questions import account_balances, state_before
from ledger_client.server import LedgerServer, ProtocolViolation, ServerError
from offer_lifecycle import (
    AccountRecord,
    Conservation,
    Drift,
    Holding,
    LastShown,
    LedgerFacts,
    StateBefore,
    read_holdings,
)
from reconciler.safety.slots import Turns

_log = structlog.get_logger()

_SECONDS = 5.0
"""For one check: the account's next ledger waits for it."""
_ASKED_AGAIN = 20
"""Balances that one check asks for on their own; what differs beyond that is left to the next check."""
_SOONER = 10
"""A check that got no answer is tried again after this part of the interval."""
_NOTHING = Decimal(0)


class KeptBalances(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of the balances beside the record's holdings."""

    explained_at: int
    """The last ledger at which they were known from outside: adopted there, or held against a server's."""
    shown: dict[str, LastShown] = {}
    """Those that a transaction has shown since, and the last one that did."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found: the account goes on from here."""

    record: AccountRecord
    balances: KeptBalances
    drifts: tuple[Drift, ...]


def taken(
    record: AccountRecord, kept: KeptBalances, facts: LedgerFacts
) -> tuple[KeptBalances, tuple[Drift, ...]]:
    """Add up the ledger after the record; return what to keep, and the drift that its transactions show."""
    conservation = _going_on(record, kept)
    drifts = conservation.add_ledger(facts.header.ledger_index, facts.transactions)
    return KeptBalances(explained_at=conservation.opened, shown=dict(conservation.shown)), drifts


class Schedule:
    """When a check is due: at start, then every so many ledgers; after one without an answer, sooner."""

    def __init__(self, every: int, turns: Turns) -> None:
        """`every`: ledgers; 0: never."""
        self._every = every
        self._turns = turns
        self._next = 0
        self._told = False

    async def check(
        self, server: LedgerServer, record: AccountRecord, kept: KeptBalances | None
    ) -> Checked | None:
        """Hold the balances against the server's at the record's ledger, if that is due.

        None: it is not due, or there was no answer.
        """
        if not self._every or kept is None or record.ledger_index < self._next:
            return None
        if not self._turns.take(record.ledger_index):
            return None
        try:
            async with asyncio.timeout(_SECONDS):
                found = await held_against(server, record, kept)
        except TimeoutError:
            self.unanswered(record, f"no whole answer within {_SECONDS:g} s")
        except ServerError as error:
            self.unanswered(record, str(error))
        else:
            whole = found.balances is not kept
            self._next = self._round(record) if whole else record.ledger_index + 1
            self._told = False
            return found
        return None

    def _round(self, record: AccountRecord) -> int:
        """Return the account's next turn: not the same ledger for all accounts."""
        turn = zlib.crc32(record.account.encode())
        return record.ledger_index + self._every - (record.ledger_index + turn) % self._every

    def unanswered(self, record: AccountRecord, problem: str) -> None:
        """Say that there was no answer: it is asked again sooner than after one."""
        self._next = record.ledger_index + max(1, self._every // _SOONER)
        tell = _log.debug if self._told else _log.warning
        tell("balances not checked, tried again later", account=record.account, problem=problem)
        self._told = True


async def held_against(server: LedgerServer, record: AccountRecord, kept: KeptBalances) -> Checked:
    """Hold the balances against the server's at the record's ledger.

    Raises:
        ServerError: there is no answer; ProtocolViolation too if the server contradicts itself.

    """
    listed = await _listed(server, record)
    differing = [asset for asset in sorted({*record.holdings, *listed}) if _differs(asset, record, listed)]
    asked = differing[:_ASKED_AGAIN]
    believed = {asset: listed.get(asset, Holding(balance=_NOTHING)) for asset in asked}
    claimed = {asset: holding.balance for asset, holding in believed.items()}
    missing = await _confirm(server, record, kept, claimed)
    if not record.holdings_known:
        believed |= {asset: listed[asset] for asset in listed if asset not in record.holdings}
    holdings = {**record.holdings, **believed}
    drifts = _going_on(record, kept).compare_balances(record.ledger_index, holdings)
    return Checked(
        record=msgspec.structs.replace(record, holdings=holdings, holdings_known=True),
        balances=KeptBalances(explained_at=record.ledger_index) if asked == differing else kept,
        drifts=tuple(msgspec.structs.replace(one, missing=missing.get(one.asset)) for one in drifts),
    )


def _going_on(record: AccountRecord, kept: KeptBalances) -> Conservation:
    return Conservation(
        record.account,
        kept.explained_at,
        record.holdings,
        complete=record.holdings_known,
        shown=kept.shown,
    )


def _differs(asset: str, record: AccountRecord, listed: Mapping[str, Holding]) -> bool:
    held = record.holdings.get(asset)
    if held is None and not record.holdings_known:
        return False
    shown = listed.get(asset)
    return (held.balance if held else _NOTHING) != (shown.balance if shown else _NOTHING)


async def _listed(server: LedgerServer, record: AccountRecord) -> dict[str, Holding]:
    shown = await account_balances(server, record.account, record.ledger_index)
    try:
        return read_holdings(shown.account_data, shown.lines)
    except (KeyError, ValueError, TypeError) as error:
        raise ProtocolViolation(
            server.name, f"balances of {record.account} at ledger {record.ledger_index}: {error!r}"
        ) from error


async def _confirm(
    server: LedgerServer,
    record: AccountRecord,
    kept: KeptBalances,
    claimed: Mapping[str, Decimal],
) -> dict[str, str]:
    """Ask for each balance's own entry, and return by asset the transaction that was not read.

    Raises:
        ProtocolViolation: an entry does not hold what is claimed of it.

    """
    missing: dict[str, str] = {}
    for asset, balance in claimed.items():
        holding, link = await _entry(server, record, asset)
        if holding is None or holding.balance != balance:
            found = "no answer" if holding is None else f"{holding.balance:f}"
            raise ProtocolViolation(
                server.name,
                f"expected the ledger entry of {asset} of {record.account} to hold {balance:f} at ledger "
                f"{record.ledger_index}, as listed, found {found}",
            )
        shown = kept.shown.get(asset)
        read = shown is not None and shown.transaction_hash == link.changed_by
        if link.changed_by and link.changed_in > kept.explained_at and not read:
            missing[asset] = link.changed_by
    return missing


class _Link(msgspec.Struct):
    """Who changed an entry last."""

    changed_by: str | None = msgspec.field(name="PreviousTxnID", default=None)
    changed_in: int = msgspec.field(name="PreviousTxnLgrSeq", default=0)


async def _entry(server: LedgerServer, record: AccountRecord, asset: str) -> tuple[Holding | None, _Link]:
    unasked = StateBefore(record.account, record.ledger_index, ())
    unasked.holding(asset)
    [request] = unasked.questions
    answer = await state_before(server, request)
    if answer is None:
        return None, _Link()
    holding = StateBefore(record.account, record.ledger_index, [answer]).holding(asset)
    try:
        return holding, msgspec.convert(answer.fields or {}, _Link)
    except msgspec.ValidationError:
        return holding, _Link()
