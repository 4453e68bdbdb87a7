"""The bucket on a real NATS: all or nothing, and only for its owner."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import nats.errors
import pytest
from extreme_announcements import ACCOUNT, AMOUNTS, ISSUER, submitted
from in_memory_bus import Crash
from made_ledger import header
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from waiting import until_found

from offer_lifecycle import Holding, adopt_without_snapshot
from order_events import CancelRequested
from reconciler.adapters.atomic_batch import Message, publish_batch
from reconciler.adapters.state_store import BucketStore
from reconciler.following.account_store import AccountStore
from reconciler.following.stored_account import ExtraWrites
from reconciler.metrics import Metrics
from reconciler.ports.bus import NotOwner, StoredValues
from reconciler.safety.account_safety import PolicyOutcome
from reconciler.safety.policy import PolicyState

pytestmark = pytest.mark.stack

PREFIX = "0.rOwner"


def account(cursor: int) -> dict[str, bytes]:
    return {"account": str(cursor).encode()}


async def test_nothing_is_kept_of_an_account_that_was_never_committed(store: BucketStore) -> None:
    assert await store.load(PREFIX) == StoredValues(values={}, revision=0)


async def test_what_was_committed_is_loaded_and_what_was_deleted_is_not(store: BucketStore) -> None:
    first = await store.commit(PREFIX, {"order.7": b"a", "order.8": b"b", **account(1)}, [], 0)
    second = await store.commit(PREFIX, {"order.9": b"c", **account(2)}, ["order.7"], first)
    assert await store.load(PREFIX) == StoredValues(
        values={"order.8": b"b", "order.9": b"c", "account": b"2"}, revision=second
    )


async def test_accounts_do_not_see_each_other(store: BucketStore) -> None:
    await store.commit(PREFIX, {"order.7": b"a", **account(1)}, [], 0)
    assert await store.load("0.rOther") == StoredValues(values={}, revision=0)
    assert await store.load("1.rOwner") == StoredValues(values={}, revision=0)


@pytest.mark.parametrize("stale", [0, 1])
async def test_a_commit_behind_a_stale_fence_changes_nothing(store: BucketStore, stale: int) -> None:
    first = await store.commit(PREFIX, {"order.7": b"a", **account(1)}, [], 0)
    await store.commit(PREFIX, account(2), [], first)
    before = await store.load(PREFIX)
    with pytest.raises(NotOwner, match="another reconciler has gone on"):
        await store.commit(PREFIX, {"order.7": b"x", "order.8": b"y", **account(9)}, ["order.7"], stale)
    assert await store.load(PREFIX) == before


@pytest.mark.parametrize("orders", [999, 1000, 2500])
async def test_more_keys_than_a_batch_holds_are_committed_and_leave_nothing_but_themselves(
    store: BucketStore, jetstream: JetStreamContext, orders: int
) -> None:
    values = {f"order.{number}": b"v" * 600 for number in range(orders)}
    revision = await store.commit(PREFIX, {**account(1), **values}, [], 0)
    assert await store.load(PREFIX) == StoredValues(values={**values, **account(1)}, revision=revision)
    fewer = list(values)[: orders - 1]
    await store.commit(PREFIX, account(2), fewer, revision)
    kept = await store.load(PREFIX)
    assert kept.values == {f"order.{orders - 1}": b"v" * 600, **account(2)}
    subjects = (
        await jetstream.stream_info("KV_reconciler", subjects_filter="$KV.reconciler.>")
    ).state.subjects
    assert subjects
    living = {f"$KV.reconciler.{PREFIX}.{key}" for key in kept.values}
    for subject in subjects.keys() - living:
        mark = await jetstream.get_last_msg("KV_reconciler", subject)
        assert (mark.headers or {}).get("Nats-TTL") == "3600s"


async def test_a_value_larger_than_a_message_is_kept_in_parts_that_go_when_it_is_small_again(
    store: BucketStore, jetstream: JetStreamContext
) -> None:
    large = {"account": b"a" * 1_300_000, "order.7": b"o" * 2_600_000, "gap.5.account": b"g" * 1_100_000}
    revision = await store.commit(PREFIX, {**large, "order.8": b"small"}, [], 0)
    assert await store.load(PREFIX) == StoredValues(values={**large, "order.8": b"small"}, revision=revision)
    assert (await store.load(f"{PREFIX}.gap.5")).values == {"account": large["gap.5.account"]}
    smaller = {"account": b"a" * 600_000, "order.7": b"o"}
    revision = await store.commit(PREFIX, smaller, ["gap.5.account"], revision)
    assert await store.load(PREFIX) == StoredValues(
        values={**smaller, "order.8": b"small"}, revision=revision
    )
    stored = await jetstream.stream_info("KV_reconciler")
    assert stored.state.bytes < 700_000


async def test_an_account_with_twelve_thousand_trust_lines_and_an_order_with_ten_thousand_cancels_is_kept(
    store: BucketStore,
) -> None:
    state = adopt_without_snapshot(network_id=0, account=ACCOUNT, header=header(100))
    holdings = {f"{number:040X}.{ISSUER}": Holding(balance=Decimal(number)) for number in range(12_000)}
    state.record = msgspec.structs.replace(state.record, holdings=holdings)
    state.announce(submitted(AMOUNTS[0], AMOUNTS[3], sequence=7))
    for number in range(10_000):
        state.announce(CancelRequested(account=ACCOUNT, sequence=7, transaction_hash=f"{number:064X}"))
    kept = AccountStore(ACCOUNT, store)
    await kept.load(0)
    decided = PolicyOutcome(events=[], record=state.record, policy_state=PolicyState())
    kept.touched.add(7)
    await kept.commit(state, decided, ExtraWrites(history_gaps=(), unexplained_removals=()))
    again = AccountStore(ACCOUNT, store)
    found = await again.load(0)
    assert found is not None
    assert found.stored.record == state.record
    assert found.state.orders == state.orders
    assert again.damage is None


@pytest.mark.parametrize("died_before", [0, 1, 2, 3])
async def test_a_large_commit_that_is_cut_short_is_whole_or_not_there_and_the_next_owner_ends_it(
    store: BucketStore,
    connected: Callable[[], Client],
    metrics: Metrics,
    monkeypatch: pytest.MonkeyPatch,
    died_before: int,
) -> None:
    """Four batches: the pages with the account, then 2,500 keys and the pages' deletion."""
    first = await store.commit(PREFIX, {"order.1": b"old", "order.9999": b"goes", **account(1)}, [], 0)
    before = await store.load(PREFIX)
    values = {**account(2), **{f"order.{number}": b"new" for number in range(2500)}}
    batches = 0

    async def dying(client: Client, batch: list[Message]) -> int:
        nonlocal batches
        batches += 1
        if batches > died_before:
            raise Crash
        return await publish_batch(client, batch)

    with monkeypatch.context() as patch:
        patch.setattr("reconciler.adapters.state_store.publish_batch", dying)
        with pytest.raises(Crash):
            await store.commit(PREFIX, values, ["order.9999"], first)
    heir = BucketStore(connected, metrics)
    found = await heir.load(PREFIX)
    if died_before == 0:
        assert found == before
        return
    assert found.values == values
    await heir.commit(PREFIX, {"order.1": b"newer", **account(3)}, ["order.2"], found.revision)
    expected = {**values, "order.1": b"newer", **account(3)}
    del expected["order.2"]
    assert (await BucketStore(connected, metrics).load(PREFIX)).values == expected


async def test_the_mark_of_a_deletion_goes_by_itself(
    store: BucketStore, jetstream: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = {"KV-Operation": "DEL", "Nats-TTL": "1s"}
    monkeypatch.setattr("reconciler.adapters.state_store._DELETED", mark)
    first = await store.commit(PREFIX, {"order.7": b"a", "order.8": b"b", **account(1)}, [], 0)
    revision = await store.commit(PREFIX, account(2), ["order.7"], first)

    async def gone() -> bool:
        return (await jetstream.stream_info("KV_reconciler")).state.messages == 2

    await until_found(gone)
    assert await store.load(PREFIX) == StoredValues(values={"order.8": b"b", **account(2)}, revision=revision)


async def test_a_large_commit_behind_a_stale_fence_changes_nothing(store: BucketStore) -> None:
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
    whole = StoredValues(values={"order.7": b"a", **account(1)}, revision=revision)
    for _ in range(10):
        found = await asyncio.gather(*(store.load(PREFIX) for _ in range(30)))
        assert found == [whole] * 30


async def test_many_accounts_commit_and_load_together_and_each_for_itself(
    store: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []

    async def counted(client: Client, batch: list[Message]) -> int:
        batches.append(len(batch))
        return await publish_batch(client, batch)

    monkeypatch.setattr("reconciler.adapters.state_store.publish_batch", counted)
    prefixes = [f"0.r{number}" for number in range(600)]
    orders = {prefix: {f"order.{number}": prefix.encode()} for number, prefix in enumerate(prefixes)}
    revisions = await asyncio.gather(
        *(store.commit(prefix, {**orders[prefix], **account(1)}, [], 0) for prefix in prefixes)
    )
    assert len(batches) < 10
    assert max(batches) <= 1000
    found = await asyncio.gather(*(store.load(prefix) for prefix in prefixes))
    assert found == [
        StoredValues(values={**orders[prefix], **account(1)}, revision=revision)
        for prefix, revision in zip(prefixes, revisions, strict=True)
    ]


async def test_a_stale_commit_among_others_is_refused_alone(store: BucketStore) -> None:
    prefixes = [f"0.r{number}" for number in range(20)]
    firsts = await asyncio.gather(*(store.commit(prefix, account(1), [], 0) for prefix in prefixes))
    firsts[7] -= 1
    found = await asyncio.gather(
        *(
            store.commit(prefix, account(2), [], fence)
            for prefix, fence in zip(prefixes, firsts, strict=True)
        ),
        return_exceptions=True,
    )
    assert [number for number, one in enumerate(found) if isinstance(one, NotOwner)] == [7]
    cursors = [(await store.load(prefix)).values["account"] for prefix in prefixes]
    assert [number for number, cursor in enumerate(cursors) if cursor != b"2"] == [7]
