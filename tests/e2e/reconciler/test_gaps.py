"""Ledgers that the node lacks; node, reconciler and bus are real: left out, and healed after a restart."""

from collections.abc import Mapping

import pytest
from following import announce, environment, following, until_followed
from nats.aio.client import Client
from nats.js import JetStreamContext
from on_the_bus import stored
from replaying import Client as NodeClient
from replaying import recorded, serving
from waiting import until_found

from console.engine import engine_accounts
from console.lines import OrderLine, order_lines
from order_events import (
    HistoryGap,
    OrderCorrected,
    OrderDisappeared,
    OrderEvent,
    OrderFilled,
    OrdersEvent,
    OrderStatus,
    Provenance,
    Resolution,
    decode,
)
from order_events.subjects import ORDERS_STREAM, STATE_BUCKET, WATERMARK_BUCKET
from replay_node.pace import Pace
from replay_node.session import Session
from service_kit import StreamSettings, provision

pytestmark = pytest.mark.stack

READ = Pace(on_read=True)


async def told(jetstream: JetStreamContext) -> dict[str, OrdersEvent]:
    """Return the events of stream ORDERS by id."""
    events = [decode(payload) for payload in await stored(jetstream)]
    return {str(event.event_id): event for event in events if isinstance(event, OrdersEvent)}


async def begin_anew(jetstream: JetStreamContext) -> None:
    """Forget all events, their names too, and the reconciler's state."""
    await jetstream.delete_stream(ORDERS_STREAM)
    for bucket in (STATE_BUCKET, WATERMARK_BUCKET):
        await jetstream.purge_stream(f"KV_{bucket}")
    await provision(jetstream, StreamSettings())


def close_up_to(node: NodeClient, ledger_index: int) -> None:
    while node.node.chain.validated.ledger_index < ledger_index:
        node.node.close_ledger()


async def follow_with_a_hole(client: Client, nats_url: str, session: Session, first: int, last: int) -> None:
    """Follow a session whose only node lacks some ledgers, to its end; then have one that has them."""
    async with serving(session.name) as holed:
        variables = environment(nats_url, holed.url, session, GAP_PATIENCE=0)
        close_up_to(holed, first - 1)
        async with following(variables):
            await until_followed(client, session, first - 1)
            holed.node.faults.change({"hole": [first, last]})
            holed.close_all()
            await until_followed(client, session)
        async with serving(session.name) as whole:
            whole.close_all()
            both = f"{holed.url},{whole.url}"
            async with following({**variables, "FILLPROOF_XRPL_URLS": both}):

                async def healed() -> bool:
                    events = (await told(client.jetstream())).values()
                    gaps = [event for event in events if isinstance(event, HistoryGap)]
                    done = {gap.account for gap in gaps if gap.resolution is Resolution.RESOLVED}
                    return done == set(engine_accounts(session))

                await until_found(healed)


@pytest.mark.parametrize("name", ["grid_swept", "partial_then_canceled", "random_1"])
async def test_after_a_restart_with_a_server_that_has_the_ledgers_all_is_as_if_they_had_never_been_missing(
    client: Client, jetstream: JetStreamContext, provisioned_nats_url: str, name: str
) -> None:
    session = recorded(name)
    await announce(jetstream, session)
    variables = environment(provisioned_nats_url, "", session)
    async with (
        serving(name, pace=READ) as node,
        following({**variables, "FILLPROOF_XRPL_URLS": node.url}),
    ):
        await until_followed(client, session)
    plain = await told(jetstream)
    await begin_anew(jetstream)
    third = len(session.ledgers) // 3
    first, last = session.ledgers[third].ledger_index, session.ledgers[2 * third].ledger_index
    await follow_with_a_hole(client, provisioned_nats_url, session, first, last)
    events = await told(jetstream)
    assert became_of(session, events) == became_of(session, plain)
    assert [event for name, event in plain.items() if name not in events] == []
    assert [
        event for name, event in events.items() if name not in plain and not is_about_the_gap(event)
    ] == []
    in_it = [event for event in events.values() if first <= (event.ledger_index or 0) <= last]
    fills = [event for event in in_it if isinstance(event, OrderFilled)]
    assert all(fill.provenance is Provenance.BACKFILL for fill in fills)


def became_of(session: Session, events: Mapping[str, OrdersEvent]) -> list[OrderLine]:
    orders = [event for event in events.values() if isinstance(event, OrderEvent)]
    return list(order_lines(session.name, session.orders, orders))


def is_about_the_gap(event: OrdersEvent) -> bool:
    lost = isinstance(event, OrderDisappeared) and event.status is OrderStatus.LOST
    return lost or isinstance(event, HistoryGap | OrderCorrected)
