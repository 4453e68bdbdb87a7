"""Differences between the stored events and those of the undisturbed run: what may last, and what may not."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
from chaos.outcome import Outcome, stored_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from chaos.leg import Leg

Json = dict[str, Any]
BEARABLE = {
    "action_taken": "told while the account is halted",
    "client_order_id": "announcement lost",
    "session_id": "announcement lost",
    "external": "announcement lost",
    "quantity": "counted from the loss on",
    "filled_qty": "counted from the loss on",
    "avg_px": "counted from the loss on",
    "price": "counted from the loss on",
    "anomaly": "no cancel is called a stranger's while announcements may be lost",
}
"""Fields that may stay different, and why: no fill, no end and no traded amount depends on them."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is stored otherwise than in the undisturbed run."""

    what: str
    """In words, without an example."""
    text: str
    is_bearable: bool
    """Whether it may last: it touches no fill, no end and no amount of an order."""


def differences(leg: Leg, expected: Outcome) -> list[Difference]:
    try:
        stored = order_events(stored_events(leg.world.database()))
    except asyncpg.DataCorruptedError as error:
        return [Difference(what="a page can't be read", text=str(error), is_bearable=False)]
    wanted = order_events(expected.events)
    missing, added = wanted.keys() - stored.keys(), stored.keys() - wanted.keys()
    unowned = {name for name in added if _is_a_cancel_of_nobody(stored[name])}
    unasked = {name for name in missing if _is_a_cancel_of_nobody(wanted[name])}
    found = [
        *_counted("missing", {name: wanted[name] for name in missing - unasked}),
        *_counted(
            "less, no anomaly (whose cancel it was is lost)",
            {name: wanted[name] for name in unasked},
            is_bearable=True,
        ),
        *_counted("not expected", {name: stored[name] for name in added - unowned}),
        *_counted(
            "more, no anomaly (whose cancel it was is lost)",
            {name: stored[name] for name in unowned},
            is_bearable=True,
        ),
    ]
    examples: defaultdict[str, list[str]] = defaultdict(list)
    for name in wanted.keys() & stored.keys():
        for field in wanted[name].keys() | stored[name].keys():
            one, other = wanted[name].get(field), stored[name].get(field)
            if one != other and field != "market_context":
                what = "anomaly that is none" if field == "anomaly" and other else field
                examples[what].append(f"{name}: expected {one}, found {other}")
    for field, some in sorted(examples.items()):
        found.append(
            Difference(
                what=f"{field} of {len(some)} events ({BEARABLE.get(field, 'unexplained')})",
                text=f"{field} of {len(some)} events: {some[0]}",
                is_bearable=field in BEARABLE,
            )
        )
    return found


def _counted(how: str, events: Mapping[str, Json], *, is_bearable: bool = False) -> Iterator[Difference]:
    if events:
        kinds = Counter(str(event["event_type"]) for event in events.values())
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        text = f"events {how}: {counts}, as {events[min(events)]}"
        yield Difference(what=f"{how}: {counts}", text=text, is_bearable=is_bearable)


def _is_a_cancel_of_nobody(event: Json) -> bool:
    """Whether the event tells a cancel of the account's own, and nobody knows whether the engine sent it."""
    by_the_account = event.get("removal_reason") in {"CANCELED", "REPLACED"}
    return event["event_type"] == "order.disappeared" and by_the_account and not event["anomaly"]


def summary(differences: Sequence[Difference]) -> str:
    return "; ".join(one.what for one in differences)


def order_events(payloads: Mapping[str, bytes]) -> dict[str, Json]:
    """Return the events that are about orders, by id."""
    decoded = {name: msgspec.json.decode(payload) for name, payload in payloads.items()}
    return {name: event for name, event in decoded.items() if event["event_type"].startswith("order.")}
