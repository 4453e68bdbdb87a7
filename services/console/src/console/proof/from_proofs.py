"""Stored events derived again from proven bytes, field by field. Pure.

The kernel folds the transactions that a checked life proof holds, and nothing else. So what the engine has
said, what the policy did and how the market stood is not compared; what the ledger decides is, every field.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from ledger_proof import ProofReport
from order_events import OrderCorrected, OrderEvent, Provenance, RemovalReason

_NOT_OF_THE_LEDGER = frozenset(
    {
        "action_taken",
        "anomaly",
        "client_order_id",
        "event_id",
        "evidence",
        "external",
        "market_context",
        "missing_transactions",
        "network_id",
        "provenance",
        "sent_by",
        "session_id",
        "unfunded_since",
        "version",
    }
)
"""Fields of the engine, of the policy and of the reading; ids, which are derived from the others."""
_BY_STATE = frozenset({"removal_reason", "resolution"})
"""Of an end whose cause hangs on the state of the ledger before, which no proof holds."""
_ENDS = frozenset({"order.canceled", "order.disappeared", "order.expired"})
"""Which of them an end is told as also hangs on what the engine has announced."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A stored event that is not what the proven transactions make."""

    event: OrderEvent
    detail: str


def differences_from_proof(stored: Iterable[OrderEvent], proof: ProofReport) -> Iterator[Difference]:
    """Yield the stored events of one order that are not what its checked proof makes of it.

    What was presumed, and what a correction has replaced, is not compared; neither is an event of a
    transaction that the proof does not hold.
    """
    if proof.verdict is not None:
        yield from differences(stored, proof.verdict.events, said_by="the proven bytes say")


def differences(
    stored: Iterable[OrderEvent], made: Sequence[OrderEvent], *, said_by: str
) -> Iterator[Difference]:
    """Yield the stored events of one order that are not what the kernel made of its transactions.

    Args:
        stored: all events of the order.
        made: what the kernel has made; an event of a transaction that it has not read is not compared.
        said_by: who says otherwise, for the text of a difference.

    """
    derived = {_key(event): event for event in made}
    proven = {event.transaction_hash for event in made}
    events = list(stored)
    corrected = {event.corrects for event in events if isinstance(event, OrderCorrected)}
    for event in events:
        if isinstance(event, OrderCorrected) or event.event_id in corrected:
            continue
        if event.transaction_hash not in proven or event.provenance is Provenance.PRESUMED:
            continue
        detail = _difference(event, derived.get(_key(event)), said_by)
        if detail is not None:
            yield Difference(event=event, detail=detail)


def _key(event: OrderEvent) -> tuple[str, str | None]:
    tag = str(event.__struct_config__.tag)
    return "end" if tag in _ENDS else tag, event.transaction_hash


def _difference(event: OrderEvent, derived: OrderEvent | None, said_by: str) -> str | None:
    if derived is None:
        return f"the transaction {event.transaction_hash} makes no such event"
    for name in sorted(_compared(event, derived)):
        found, expected = getattr(event, name), getattr(derived, name)
        if found != expected:
            return f"{name}: stored {found}, {said_by} {expected}"
    return None


def _compared(event: OrderEvent, derived: OrderEvent) -> Collection[str]:
    names = {field.name for field in msgspec.structs.fields(event)} - _NOT_OF_THE_LEDGER
    names &= {field.name for field in msgspec.structs.fields(derived)}
    if derived.removal_reason is RemovalReason.UNEXPLAINED:
        names -= _BY_STATE
    return names
