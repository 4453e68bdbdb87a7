"""An upgrade amid a session: the state bucket that the version before left is gone on with."""

from decimal import Decimal

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
from order_events import OrderCorrected, OrderFilled, OrdersEvent, encode
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


def filled_otherwise(
    before: dict[str, OrdersEvent], expected: dict[str, OrdersEvent]
) -> dict[tuple[str, int], Decimal | None]:
    """Return what orders paid on average whose fill was published, not committed, and is another today.

    Version 0.1.0 booked takers' fills from rounded balances, so that their last digits are others.
    """
    fills = {name: event for name, event in before.items() if isinstance(event, OrderFilled)}
    newest = max(fill.ledger_index or 0 for fill in fills.values())
    today = {name: event for name, event in expected.items() if isinstance(event, OrderFilled)}
    return {
        (fill.account, fill.sequence): today[name].avg_px
        for name, fill in fills.items()
        if fill.ledger_index == newest and (fill.gave, fill.got) != (today[name].gave, today[name].got)
    }


async def test_what_the_earlier_version_left_amid_a_session_is_gone_on_with_and_nothing_is_lost_or_doubled(
    client: Client, jetstream: JetStreamContext, provisioned_nats_url: str
) -> None:
    state = earlier_state("amid_a_session")
    session = recorded(state.session)
    await put_back(jetstream, state, session)
    before = {str(event.event_id): event for event in await stored_events(jetstream)}
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
    assert expected.keys() <= told.keys()
    assert before.keys() < told.keys()
    corrections = [event for name, event in told.items() if name not in expected]
    assert all(isinstance(event, OrderCorrected) and str(event.corrects) in before for event in corrections)
    corrected = {(event.account, event.sequence): event.avg_px for event in corrections}  # type: ignore[union-attr]
    assert corrected == filled_otherwise(before, expected) != {}
