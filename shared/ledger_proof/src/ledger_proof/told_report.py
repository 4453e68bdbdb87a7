"""What a check found out, in words, as JSON and as an exit status."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec

from ledger_proof.life_verdict import OrderVerdict
from ledger_proof.trust import ProofEnd, ProofReport, TrustStep
from offer_lifecycle import XRP, Order, Transaction
from order_events import Amount

EXIT_STATUS: Mapping[ProofEnd, int] = {
    ProofEnd.PROVED_CLOSED: 0,
    ProofEnd.PROVED_TRANSACTION: 0,
    ProofEnd.REFUSED: 1,
    ProofEnd.PROVED_UNTIL: 3,
    ProofEnd.NOT_ENOUGH_VOTES: 4,
    ProofEnd.HANGS_ON_LEDGER_HASH: 5,
}
"""Of the commands that check a proof; 2 is for bad input."""


class _ToldVotes(msgspec.Struct, frozen=True, kw_only=True):
    publisher: str
    list_sequence: int
    votes: int
    entries: int
    quorum: int


class _ToldOrder(msgspec.Struct, frozen=True, kw_only=True):
    status: str
    removal_reason: str | None
    removed_by: str | None
    resolution: str | None
    gives: str
    asks: str
    gave: Decimal
    got: Decimal
    left_gives: Decimal
    left_asks: Decimal


class _ToldTransaction(msgspec.Struct, frozen=True, kw_only=True):
    hash: str
    type: str
    account: str
    result: str


class _ToldReport(msgspec.Struct, frozen=True, kw_only=True):
    end: ProofEnd
    account: str | None
    sequence: int | None
    closed: bool
    last_ledger_index: int | None
    anchors: Mapping[int, str]
    votes: list[_ToldVotes]
    order: _ToldOrder | None
    transaction: _ToldTransaction | None
    chain: tuple[TrustStep, ...]


def report_json(report: ProofReport) -> bytes:
    """Return a report as one JSON object; amounts are strings: drops, or decimal tokens."""
    order = report.verdict.order if report.verdict else None
    transaction = report.transaction
    return msgspec.json.encode(
        _ToldReport(
            end=report.end,
            account=report.account,
            sequence=report.sequence,
            closed=report.closed,
            last_ledger_index=report.last_ledger_index,
            anchors=report.anchors,
            votes=[
                _ToldVotes(
                    publisher=one.publisher.hex().upper(),
                    list_sequence=one.list_sequence,
                    votes=one.votes,
                    entries=one.entries,
                    quorum=one.quorum,
                )
                for one in report.confirmations
            ],
            order=_told_order(order) if order else None,
            transaction=_told_transaction(transaction) if transaction else None,
            chain=report.chain,
        )
    )


def step_text(step: TrustStep) -> str:
    """Return a step of the chain of trust as a line."""
    if step.ok:
        return f"ok      {step.what}: {step.found} ({step.expected})"
    return f"FAILED  {step.what}: expected {step.expected}, found {step.found}"


def end_lines(report: ProofReport) -> Iterator[str]:
    """Yield what is proved and what is not, in sentences."""
    what = _subject(report)
    ledger = report.last_ledger_index
    match report.end:
        case ProofEnd.REFUSED:
            yield "REFUSED. Nothing is proved: the last step above does not hold."
            return
        case ProofEnd.PROVED_CLOSED:
            yield f"PROVED CLOSED: the whole life of {what}, which ended in ledger {ledger}."
        case ProofEnd.PROVED_UNTIL:
            yield f"PROVED UNTIL LEDGER {ledger}: {what}. What came later is not known."
        case ProofEnd.PROVED_TRANSACTION:
            yield f"PROVED: {what} is in ledger {ledger}."
        case ProofEnd.NOT_ENOUGH_VOTES:
            yield f"NOT ENOUGH VOTES for {what}. Everything else holds; too few validators signed."
        case ProofEnd.HANGS_ON_LEDGER_HASH:
            yield f"ALL HANGS ON A LEDGER HASH: {what}, if the network's ledgers have these hashes."
            for index, ledger_hash in report.anchors.items():
                yield f"  ledger {index}: {ledger_hash}"
            yield "Look them up where you trust the answer, and check again with --ledger-hash for each."
    if report.end in {ProofEnd.NOT_ENOUGH_VOTES, ProofEnd.HANGS_ON_LEDGER_HASH} and report.account:
        ended = f"The order ended in ledger {ledger}."
        yield ended if report.closed else f"After ledger {ledger} nothing is known of the order."
    if report.verdict is not None:
        yield from _verdict_lines(report.verdict)


def _subject(report: ProofReport) -> str:
    if report.transaction is not None:
        return f"{report.transaction.type} {report.transaction.hash} of {report.transaction.account}"
    return f"order {report.sequence} of {report.account}"


def _verdict_lines(verdict: OrderVerdict) -> Iterator[str]:
    order = verdict.order
    if order is None:
        yield "Its sequence was used by another transaction: it never was an order."
        return
    reason = order.removal_reason
    because = f" ({reason})" if reason and reason.value != order.status.value else ""
    yield (
        f"{order.status}{because}: gave {order.gave:f} of {_amount_text(order.gets)}, "
        f"got {order.got:f} of {_amount_text(order.pays)}."
    )
    if reason:
        used = verdict.reserves
        yield f"Not proved: reserves, taken to be {used.base} and {used.increment} drops (--reserves)."


def _amount_text(amount: Amount) -> str:
    return f"{amount.value:f} {'drops' if amount.asset == XRP else amount.asset}"


def _told_order(order: Order) -> _ToldOrder:
    return _ToldOrder(
        status=order.status,
        removal_reason=order.removal_reason,
        removed_by=order.removed_by,
        resolution=order.resolution,
        gives=order.gets.asset,
        asks=order.pays.asset,
        gave=order.gave,
        got=order.got,
        left_gives=order.gets_left,
        left_asks=order.pays_left,
    )


def _told_transaction(transaction: Transaction) -> _ToldTransaction:
    return _ToldTransaction(
        hash=transaction.hash,
        type=transaction.type,
        account=transaction.account,
        result=transaction.result,
    )
