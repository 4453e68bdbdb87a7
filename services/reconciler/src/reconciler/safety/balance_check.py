"""The balance check: an account's balances must be what its transactions explain.

1. At every ledger: each transaction shows balances before and after. They must be the balances known, and
   fills, fees and payments must explain the change.
2. Every so many ledgers, and at start: the balances known at a ledger must be those that a server shows
   there.

A difference is drift. A query that fails is no answer and no drift. What the list of trust lines shows counts
only where the ledger entry itself, asked for on its own, shows the same: a list may be cut short.
"""

import asyncio
import zlib
from collections.abc import Mapping
from decimal import Decimal

import msgspec
import structlog

from ledger_client import (
    LedgerServer,
    ProtocolViolation,
    ServerError,
    state_before,
)
from offer_lifecycle import (
    AccountRecord,
    Conservation,
    Drift,
    Holding,
    LastShown,
    LedgerFacts,
    StateBefore,
    is_mpt,
)
from reconciler.safety.opening_balances import OtherServer, list_holdings, no_other_server, shown_again
from reconciler.safety.slots import CheckSlots

_log = structlog.get_logger()

_SECONDS = 5.0
"""The limit of one check: the account's next ledger waits for it."""
_ASKED_AGAIN = 20
"""Differing balances whose ledger entries one check asks for; the others are left to the next check."""
_SOONER = 10
"""A check that got no answer is tried again after this part of the interval."""
_NOTHING = Decimal(0)


class BalanceBaseline(msgspec.Struct, frozen=True, kw_only=True):
    """Since when the record's holdings are known, and which of them transactions have shown since."""

    explained_at: int
    """The last ledger at which a server showed all balances: at adoption, or in a check."""
    shown: dict[str, LastShown] = {}
    """By asset, the balance that a transaction has shown since, and the last transaction that did."""


class BalanceCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a check against a server found: the record and baseline to go on with, and the drift."""

    record: AccountRecord
    baseline: BalanceBaseline
    drifts: tuple[Drift, ...]


def add_up_ledger(
    record: AccountRecord, baseline: BalanceBaseline, facts: LedgerFacts
) -> tuple[BalanceBaseline, tuple[Drift, ...]]:
    """Add up the ledger after the record; return the new baseline, and the drift that transactions show."""
    conservation = _conservation(record, baseline)
    drifts = conservation.add_ledger(facts.header.ledger_index, facts.transactions)
    return BalanceBaseline(explained_at=conservation.opened, shown=dict(conservation.shown)), drifts


class BalanceSchedule:
    """When one account is checked: at start, then every so many ledgers; sooner where no answer came."""

    def __init__(self, every: int, slots: CheckSlots, other: OtherServer = no_other_server) -> None:
        """`every`: ledgers; 0: never. `other`: where opening balances are looked at a second time."""
        self._every = every
        self._other = other
        self._slots = slots
        self._next = 0
        self._warned = False

    async def check_if_due(
        self, server: LedgerServer, record: AccountRecord, baseline: BalanceBaseline | None
    ) -> BalanceCheck | None:
        """Hold the balances against the server's at the record's ledger, if that is due.

        None: it is not due, or there was no answer.
        """
        if not self._every or baseline is None or record.ledger_index < self._next:
            return None
        if not self._slots.reserve(f"balances of {record.account}", record.ledger_index):
            return None
        try:
            async with asyncio.timeout(_SECONDS):
                found = await compare_with_server(server, record, baseline, self._other)
        except TimeoutError:
            self.note_no_answer(record, f"no whole answer within {_SECONDS:g} s")
        except ServerError as error:
            self.note_no_answer(record, str(error))
        else:
            complete = found.baseline is not baseline
            self._next = self._next_due(record) if complete else record.ledger_index + 1
            self._warned = False
            return found
        return None

    def _next_due(self, record: AccountRecord) -> int:
        """Return the ledger of the account's next check: not the same ledger for all accounts."""
        offset = zlib.crc32(record.account.encode())
        return record.ledger_index + self._every - (record.ledger_index + offset) % self._every

    def note_no_answer(self, record: AccountRecord, problem: str) -> None:
        """Note that no answer came: the check is due again sooner than after an answer."""
        self._next = record.ledger_index + max(1, self._every // _SOONER)
        log = _log.debug if self._warned else _log.warning
        log("balances not checked, tried again later", account=record.account, problem=problem)
        self._warned = True


async def compare_with_server(
    server: LedgerServer,
    record: AccountRecord,
    baseline: BalanceBaseline,
    other: OtherServer = no_other_server,
) -> BalanceCheck:
    """Hold the balances against the server's at the record's ledger.

    Raises:
        ServerError: there is no answer; ProtocolViolation too if the server contradicts itself.

    """
    listed, mpts_listed = await list_holdings(server, record)
    if not record.holdings_known and not await shown_again(server, other, record, listed):
        raise ProtocolViolation(
            server.name,
            f"expected two looks at {record.account} to show the same balances at ledger "
            f"{record.ledger_index}, found two",
        )
    held = {asset for asset in record.holdings if mpts_listed or not is_mpt(asset)}
    differing = [asset for asset in sorted({*held, *listed}) if _differs(asset, record, listed)]
    asked = differing[:_ASKED_AGAIN]
    believed = {asset: listed.get(asset, Holding(balance=_NOTHING)) for asset in asked}
    claimed = {asset: holding.balance for asset, holding in believed.items()}
    missing = await _confirm(server, record, baseline, claimed)
    if not record.holdings_known:
        believed |= {asset: listed[asset] for asset in listed if asset not in record.holdings}
    if not record.mpts_known:
        believed |= {asset: listed[asset] for asset in listed if is_mpt(asset)}
    holdings = {**record.holdings, **believed}
    drifts = _conservation(record, baseline).compare_balances(record.ledger_index, holdings)
    return BalanceCheck(
        record=msgspec.structs.replace(
            record,
            holdings=holdings,
            holdings_known=True,
            mpts_known=record.mpts_known or mpts_listed,
        ),
        baseline=BalanceBaseline(explained_at=record.ledger_index) if asked == differing else baseline,
        drifts=tuple(msgspec.structs.replace(one, missing=missing.get(one.asset)) for one in drifts),
    )


def _conservation(record: AccountRecord, baseline: BalanceBaseline) -> Conservation:
    return Conservation(
        record.account,
        baseline.explained_at,
        record.holdings,
        complete=record.holdings_known,
        mpts_complete=record.mpts_known,
        shown=baseline.shown,
    )


def _differs(asset: str, record: AccountRecord, listed: Mapping[str, Holding]) -> bool:
    held = record.holdings.get(asset)
    known = record.holdings_known and (record.mpts_known or not is_mpt(asset))
    if held is None and not known:
        return False
    shown = listed.get(asset)
    return (held.balance if held else _NOTHING) != (shown.balance if shown else _NOTHING)


async def _confirm(
    server: LedgerServer,
    record: AccountRecord,
    baseline: BalanceBaseline,
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
        shown = baseline.shown.get(asset)
        read = shown is not None and shown.transaction_hash == link.changed_by
        if link.changed_by and link.changed_in > baseline.explained_at and not read:
            missing[asset] = link.changed_by
    return missing


class _Link(msgspec.Struct):
    """The transaction that changed a ledger entry last."""

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
