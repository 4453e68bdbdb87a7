"""What stream ORDERS holds of an account beyond its cursor: told, and not committed when the process ended.

Plain nats-py: single messages are read. Each start asks for the account's newest event; only where that is of
a later ledger than the cursor, older ones are looked for.
"""

from collections.abc import AsyncIterator, Callable

import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext

from order_events import Malformed, OrderEvent, Provenance, decode
from order_events.subjects import ORDERS_STREAM, account_order_events
from reconciler.adapters.atomic_batch import ANSWER_SECONDS
from reconciler.adapters.retry import until_done
from reconciler.metrics import Metrics

_FARTHEST = 2**20
"""Messages of the stream, of all accounts, behind the newest one that are looked at."""
_STEP = 4
"""By how much each look back is longer than the one before."""


class JetStreamToldEvents:
    """Reads one account's events backwards to the cursor, in a few questions (see `ToldEvents`)."""

    def __init__(self, client: Callable[[], Client], metrics: Metrics) -> None:
        """`client`: the bus connection; it raises while there is none."""
        self._client = client
        self._metrics = metrics

    async def read_after(self, prefix: str, ledger_index: int) -> list[OrderEvent]:
        """Return the account's events of later ledgers (see `ToldEvents`)."""
        return await until_done(
            "reading what was told", lambda: self._read(prefix, ledger_index), self._metrics
        )

    async def _read(self, prefix: str, ledger_index: int) -> list[OrderEvent]:
        network_id, account = prefix.split(".")
        context = self._client().jetstream(timeout=ANSWER_SECONDS)
        subject = account_order_events(account)
        try:
            newest = await context.get_last_msg(ORDERS_STREAM, subject)
        except nats.js.errors.NotFoundError:
            return []
        last = newest.seq or 0
        if _is_before(newest.data, ledger_index):
            return []
        first = await _first_after(context, subject, last, ledger_index)
        events = [event async for event in _events(context, subject, first, last)]
        return [
            event
            for event in events
            if event.network_id == int(network_id) and (event.ledger_index or 0) > ledger_index
        ]


async def _first_after(context: JetStreamContext, subject: str, last: int, ledger_index: int) -> int:
    """Return a sequence from which on all events of ledgers after this one are found."""
    distance = 1
    while distance < min(last, _FARTHEST):
        found = await context.get_msg(ORDERS_STREAM, seq=last - distance, subject=subject, next=True)
        if _is_before(found.data, ledger_index):
            return (found.seq or 0) + 1
        distance *= _STEP
    return max(last - distance, 1)


async def _events(
    context: JetStreamContext, subject: str, first: int, last: int
) -> AsyncIterator[OrderEvent]:
    while first <= last:
        message = await context.get_msg(ORDERS_STREAM, seq=first, subject=subject, next=True)
        first = (message.seq or last) + 1
        event = _read_event(message.data)
        if event is not None:
            yield event


def _is_before(data: bytes | None, ledger_index: int) -> bool:
    """Whether a live event is of the cursor's ledger or an earlier one: all before it are, too."""
    event = _read_event(data)
    return (
        event is not None
        and event.provenance is Provenance.LIVE
        and (event.ledger_index or 0) <= ledger_index
    )


def _read_event(data: bytes | None) -> OrderEvent | None:
    try:
        event = decode(data or b"")
    except Malformed:
        return None
    return event if isinstance(event, OrderEvent) else None
