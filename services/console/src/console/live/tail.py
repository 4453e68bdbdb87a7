"""Events of stream ORDERS, from some messages before the end on."""

import time

import msgspec
from rich.console import Console

from console.bus_connection import open_bus
from console.fitting import width_of
from console.json_lines import print_json
from console.live.event_feed import EventFeed, Told
from console.live.event_lines import event_line
from order_events.subjects import ORDERS_STREAM, account_events


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which events, and how they are shown."""

    account: str | None
    last: int
    follow: bool
    as_json: bool


async def tail(nats_url: str, wanted: Wanted, console: Console) -> None:
    """Show the events; where they are not followed, end with the newest one of now."""
    events_of = ">" if wanted.account is None else account_events(wanted.account)
    async with open_bus(nats_url) as jetstream:
        newest = (await jetstream.stream_info(ORDERS_STREAM)).state.last_seq
        feed = await EventFeed.from_the_last(jetstream, wanted.last, events_of, time.monotonic)
        async for event in feed.read(until=None if wanted.follow else newest):
            _show(event, wanted, console)


def _show(event: Told, wanted: Wanted, console: Console) -> None:
    if wanted.as_json:
        print_json([event])
    else:
        console.print(event_line(event, width_of(console)), soft_wrap=True)
