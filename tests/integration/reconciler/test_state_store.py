"""The bucket on a real NATS: all or nothing, and only for its owner."""

import asyncio
from typing import Any

import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from reconciler.adapters.state_store import BucketStore
from reconciler.ports.bus import Kept, NotOwner

pytestmark = pytest.mark.stack

PREFIX = "0.rOwner"


def account(cursor: int) -> dict[str, bytes]:
    return {"account": str(cursor).encode()}


async def test_nothing_is_kept_of_an_account_that_was_never_committed(store: BucketStore) -> None:
    assert await store.load(PREFIX) == Kept(values={}, revision=0)


async def test_what_was_committed_is_loaded_and_what_was_deleted_is_not(store: BucketStore) -> None:
    first = await store.commit(PREFIX, {"order.7": b"a", "order.8": b"b", **account(1)}, [], 0)
    second = await store.commit(PREFIX, {"order.9": b"c", **account(2)}, ["order.7"], first)
    assert await store.load(PREFIX) == Kept(
        values={"order.8": b"b", "order.9": b"c", "account": b"2"}, revision=second
    )


async def test_accounts_do_not_see_each_other(store: BucketStore) -> None:
    await store.commit(PREFIX, {"order.7": b"a", **account(1)}, [], 0)
    assert await store.load("0.rOther") == Kept(values={}, revision=0)
    assert await store.load("1.rOwner") == Kept(values={}, revision=0)


@pytest.mark.parametrize("stale", [0, 1])
async def test_a_commit_behind_a_stale_fence_changes_nothing(store: BucketStore, stale: int) -> None:
    first = await store.commit(PREFIX, {"order.7": b"a", **account(1)}, [], 0)
    await store.commit(PREFIX, account(2), [], first)
    before = await store.load(PREFIX)
    with pytest.raises(NotOwner, match="another reconciler follows the same account"):
        await store.commit(PREFIX, {"order.7": b"x", "order.8": b"y", **account(9)}, ["order.7"], stale)
    assert await store.load(PREFIX) == before


@pytest.mark.parametrize("orders", [999, 1000, 2500])
async def test_more_orders_than_a_batch_holds_are_committed_with_the_account_last(
    store: BucketStore, jetstream: JetStreamContext, orders: int
) -> None:
    values = {f"order.{number}": b"v" for number in range(orders)}
    revision = await store.commit(PREFIX, {**account(1), **values}, [], 0)
    kept = await store.load(PREFIX)
    assert kept.values == {**values, **account(1)}
    assert revision == kept.revision == (await jetstream.stream_info("KV_reconciler")).state.last_seq


async def test_every_batch_of_a_large_commit_is_fenced(store: BucketStore) -> None:
    first = await store.commit(PREFIX, account(1), [], 0)
    await store.commit(PREFIX, account(2), [], first)
    before = await store.load(PREFIX)
    values = {f"order.{number}": b"v" for number in range(1500)}
    with pytest.raises(NotOwner):
        await store.commit(PREFIX, {**values, **account(9)}, [], first)
    assert await store.load(PREFIX) == before


async def test_a_commit_whose_answer_was_lost_is_recognised_as_our_own(
    client: Client, store: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = client.request
    lost: list[Msg] = []

    async def losing_the_first_answer(*arguments: Any, **options: Any) -> Msg:  # noqa: ANN401 - passed on
        answer = await request(*arguments, **options)
        if not lost:
            lost.append(answer)
            raise nats.errors.TimeoutError
        return answer

    monkeypatch.setattr(client, "request", losing_the_first_answer)
    revision = await store.commit(PREFIX, {"order.7": b"a", **account(1)}, [], 0)
    assert lost
    assert (await store.load(PREFIX)).revision == revision
    await store.commit(PREFIX, account(2), [], revision)


async def test_no_load_takes_an_account_for_a_new_one_however_many_are_under_way(store: BucketStore) -> None:
    revision = await store.commit(PREFIX, {"order.7": b"a", **account(1)}, [], 0)
    whole = Kept(values={"order.7": b"a", **account(1)}, revision=revision)
    for _ in range(10):
        found = await asyncio.gather(*(store.load(PREFIX) for _ in range(30)))
        assert found == [whole] * 30
