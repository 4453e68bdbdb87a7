"""An upgrade amid a session: the state bucket that the version before left is gone on with."""

import pytest
from earlier_state import EarlierState, earlier_state
from following import announce, environment, following, until_followed
from in_memory_bus import Memory
from nats.aio.client import Client
from nats.js import JetStreamContext
from on_the_bus import stored_events
from one_account import run
from replaying import recorded, serving

from console.engine import announcements, engine_accounts
from order_events import OrdersEvent, encode
from order_events.subjects import ORDERS_STREAM, STATE_BUCKET, order_subject
from replay_node.session import Session

pytestmark = pytest.mark.stack


async def put_back(jetstream: JetStreamContext, state: EarlierState, session: Session) -> None:
    """Put streams and bucket where the earlier version left them."""
    await announce(jetstream, session)
    for event in state.published():
        headers = {"Nats-Msg-Id": str(event.event_id)}
        await jetstream.publish(order_subject(event), encode(event), stream=ORDERS_STREAM, headers=headers)
    for key, value in state.values.items():
        await jetstream.publish(f"$KV.{STATE_BUCKET}.{key}", value.encode())


async def told_without_an_upgrade(session: Session) -> dict[str, OrdersEvent]:
    """Return, by id, what this version publishes of all accounts when it follows them from the beginning."""
    events: list[OrdersEvent] = []
    for role, account in session.accounts.items():
        if account in engine_accounts(session):
            memory = Memory()
            memory.announcements += list(announcements(session))
            await run(memory, session, role=role)
            events += memory.stream
    return {str(event.event_id): event for event in events}


async def test_what_the_earlier_version_left_amid_a_session_is_gone_on_with_and_nothing_is_lost_or_doubled(
    client: Client, jetstream: JetStreamContext, provisioned_nats_url: str
) -> None:
    state = earlier_state("amid_a_session")
    session = recorded(state.session)
    await put_back(jetstream, state, session)
    before = {str(event.event_id) for event in await stored_events(jetstream)}
    async with serving(session.name) as node:
        while node.node.chain.validated.ledger_index < state.validated:
            node.node.close_ledger()
        async with following(environment(provisioned_nats_url, node.url, session)):
            await until_followed(client, session, state.validated)
            node.close_all()
            await until_followed(client, session)
    events = await stored_events(jetstream)
    told = {str(event.event_id): event for event in events}
    expected = await told_without_an_upgrade(session)
    assert len(told) == len(events)
    assert told.keys() == expected.keys()
    assert before < told.keys()
