"""Presumed fills, and their withdrawal: what was presumed of a disappearance goes when that is corrected."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from order_events import Correction, OrderCorrected, OrderEvent, Resolution, event_id

_MOST_KEPT = 200
"""Presumptions that are remembered of an account, of about 100 bytes each: those made last."""


class Presumption(msgspec.Struct, frozen=True, kw_only=True):
    """A fill that was presumed because nothing explained a disappearance."""

    disappearance: UUID
    """Id of the `order.disappeared`."""
    fill: UUID
    """Id of the `order.filled` of provenance `presumed`."""


def with_presumption(known: Sequence[Presumption], made: Presumption) -> tuple[Presumption, ...]:
    """Return the presumptions with one more; made again from the same ledger, it is the same."""
    return (*(one for one in known if one != made), made)[-_MOST_KEPT:]


def withdraw_presumptions(
    known: Sequence[Presumption], events: Sequence[OrderEvent]
) -> tuple[tuple[Presumption, ...], list[OrderCorrected]]:
    """Return the presumptions that still hold after these events, and what withdraws the others.

    One holds no longer once its disappearance is withdrawn, or explained: what traded is told by fills of its
    own.
    """
    by_disappearance = {one.disappearance: one for one in known}
    withdrawals = []
    for event in events:
        if not isinstance(event, OrderCorrected) or event.corrects not in by_disappearance:
            continue
        if event.correction is Correction.AMENDED and event.resolution is Resolution.UNRESOLVED:
            continue
        withdrawals.append(_withdrawal(event, by_disappearance.pop(event.corrects)))
    return tuple(by_disappearance.values()), withdrawals


def _withdrawal(event: OrderCorrected, presumption: Presumption) -> OrderCorrected:
    named = event_id(
        network_id=event.network_id,
        kind="order.corrected",
        account=event.account,
        sequence=event.sequence,
        transaction_hash=f"{presumption.fill} by {event.event_id}",
    )
    return msgspec.structs.replace(
        event,
        event_id=named,
        corrects=presumption.fill,
        correction=Correction.WITHDRAWN,
        evidence=f"the fill was presumed, and no ledger shows it: {event.evidence}",
    )
