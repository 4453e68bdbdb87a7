"""`fillproof run` prints what happens while it runs, and nothing of an earlier run."""

from collections.abc import AsyncIterator

from nats.aio.msg import Msg
from on_the_bus import fill
from rich.console import Console

from console.run import tell_events
from order_events import encode


def stored_as(position: int) -> Msg:
    """Return a fill as a consumer of stream ORDERS is given it; `position`: its sequence in the stream."""
    event = fill(position)
    reply = f"$JS.ACK.ORDERS.reader.1.{position}.{position}.0.0"
    return Msg(None, subject=f"order.filled.{event.account}", reply=reply, data=encode(event))


async def messages(*positions: int) -> AsyncIterator[Msg]:
    for position in positions:
        yield stored_as(position)


async def test_events_of_an_earlier_run_are_not_told_again_where_the_subscription_begins_again() -> None:
    console = Console(record=True, width=200)
    await tell_events(messages(1, 2, 3), 2, console)
    assert console.export_text().count("order.filled") == 1
