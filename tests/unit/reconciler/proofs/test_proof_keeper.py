"""The keeper of proofs: what it waits for, what it publishes, and what it gives up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from in_memory_bus import Memory, MemoryFeed, MemoryOrders, MemoryStore, NoMarket
from in_process_node import InProcessServer
from replaying import recorded

from ledger_client import Unreachable
from ledger_proof import CheckedValidations, check_list, read_header, read_list_document
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.metrics import Metrics
from reconciler.ports.proofs import ProofRefused
from reconciler.proofs.blob_reader import BlobReader, ProvenHeader
from reconciler.proofs.proof_keeper import ProofKeeper
from reconciler.proofs.proof_messages import proof_messages
from reconciler.proofs.validation_feed import ValidationFeed

if TYPE_CHECKING:
    import pytest

    from order_events import LedgerProof

SESSION = recorded("partial_then_full")
PLACED, PARTLY_FILLED, FILLED = 24, 25, 27
"""The ledgers that changed the session's order; no transaction is in those between."""


class MemoryProofs:
    """Stream PROOFS in memory."""

    def __init__(self) -> None:
        self.stored: list[LedgerProof] = []
        self.is_away = False
        self.refuses = False

    async def publish(self, proof: LedgerProof) -> bool:
        if self.refuses:
            raise ProofRefused("no stream")
        if not self.is_away:
            self.stored.append(proof)
        return not self.is_away


class World:
    """One account, followed on a node in this process whose ledgers close when the test says so."""

    def __init__(self, *, lists: bool = True, anchor_ledgers: int = 0, most_waiting: int = 512) -> None:
        self.now = 0.0
        self.server = InProcessServer(SESSION)
        self.node = self.server.node
        published = read_list_document(msgspec.json.encode(self.node.validators.document))
        validations = CheckedValidations([check_list(one) for one in published] if lists else [])
        self.metrics = Metrics()
        self.feed = ValidationFeed(validations, self.metrics)
        self.feed.opened(msgspec.Raw())
        self.bus = MemoryProofs()
        self.keeper = ProofKeeper(
            reader=BlobReader(lambda: [self.server]),
            accounts=lambda: [SESSION.accounts["maker"]],
            feed=self.feed,
            bus=self.bus,
            metrics=self.metrics,
            clock=lambda: self.now,
            anchor_ledgers=anchor_ledgers,
            most_waiting=most_waiting,
        )
        memory = Memory()
        self.follower = Follower(
            SESSION.accounts["maker"],
            start_ledger=SESSION.ledgers[0].ledger_index,
            feed=MemoryFeed(memory),
            store=MemoryStore(memory),
            publisher=Publisher(MemoryOrders(memory), NoMarket(), disappearance_timeout=1),
            on_committed=self.keeper.note_committed,
        )

    async def follow(self, upto: int, absent: int = 0) -> None:
        """Close ledgers up to this one, with the votes of all but the absent validators, and follow them."""
        await self.follower.advance(self.server)
        while self.node.chain.validated.ledger_index < upto:
            self.server.close_ledgers(1)
            await self.vote(absent)
            await self.follower.advance(self.server)

    async def vote(self, absent: int = 0) -> None:
        """Hear what the validators say of the newest ledger."""
        ledger = self.node.chain.validated
        for message in (
            *self.node.validators.manifests(ledger),
            *self.node.validators.validations(ledger, absent=absent, api_version=2),
        ):
            self.feed.heard(str(message["type"]), msgspec.json.encode(message))
        await self.feed.check_what_waits()

    async def published(self, after: float = 0.0) -> list[tuple[int, int, bool]]:
        """Return what is published by then: the ledger, the one that was voted for, if it is confirmed."""
        self.now += after
        await self.keeper.publish_what_is_ready()
        return [
            (one.ledger_index, read_header(one.headers[-1]).ledger_index, one.confirmed)
            for one in self.bus.stored
        ]

    def counted(self, result: str) -> float:
        return self.metrics.registry.get_sample_value("reconciler_proofs_total", {"result": result}) or 0.0


async def test_a_confirmed_ledger_is_published_at_once_and_only_where_something_changed() -> None:
    world = World()
    await world.follow(FILLED + 1)
    assert await world.published() == [(index, index, True) for index in (PLACED, PARTLY_FILLED, FILLED)]
    assert [len(one.transactions) for one in world.bus.stored] == [1, 1, 1]
    assert await world.published() == await world.published()
    assert world.counted("confirmed") == 3


async def test_late_votes_are_waited_for() -> None:
    world = World()
    await world.follow(PLACED, absent=5)
    assert await world.published(after=5) == []
    await world.vote()
    assert await world.published() == [(PLACED, PLACED, True)]


async def test_with_too_few_votes_the_headers_lead_to_the_next_confirmed_ledger() -> None:
    world = World()
    await world.follow(PARTLY_FILLED, absent=2)
    assert await world.published(after=13) == []
    await world.follow(PARTLY_FILLED + 1)
    assert await world.published() == [(PLACED, 26, True), (PARTLY_FILLED, 26, True)]
    headers = [read_header(one) for one in world.bus.stored[0].headers]
    assert [one.ledger_index for one in headers] == [24, 25, 26]
    assert headers[2].parent_hash == headers[1].ledger_hash


async def test_votes_that_never_come_are_given_up_and_those_that_came_are_kept() -> None:
    world = World()
    await world.follow(PLACED, absent=2)
    assert await world.published(after=119) == []
    assert await world.published(after=2) == [(PLACED, PLACED, False)]
    assert len(world.bus.stored[0].validations) == 3
    assert world.counted("unconfirmed") == 1


async def test_without_a_list_votes_are_kept_for_some_seconds_and_nothing_is_confirmed() -> None:
    world = World(lists=False)
    await world.follow(PLACED)
    assert await world.published() == []
    assert await world.published(after=13) == [(PLACED, PLACED, False)]
    assert len(world.bus.stored[0].validations) == 5


async def test_without_the_streams_nothing_is_waited_for() -> None:
    world = World()
    world.feed.lost()
    await world.follow(PLACED, absent=5)
    assert await world.published() == [(PLACED, PLACED, False)]


async def test_the_votes_of_an_old_ledger_have_passed() -> None:
    world = World()
    await world.follow(PLACED, absent=5)
    world.feed.newest = PLACED + 33
    assert await world.published() == [(PLACED, PLACED, False)]


async def test_a_server_that_lies_or_is_away_proves_nothing_until_another_answer_does() -> None:
    world = World()
    await world.follow(PLACED)
    world.server.spoil["ledger"] = lambda answer: {
        **answer,
        "ledger": {**answer["ledger"], "transactions": []},
    }
    assert await world.published() == []
    world.server.spoil.clear()
    world.server.trouble = lambda _method: Unreachable("node", "away")
    assert await world.published(after=2) == []
    world.server.trouble = lambda _method: None
    assert await world.published(after=4) == [(PLACED, PLACED, True)]


async def test_a_server_without_whole_ledgers_is_asked_less_and_less_however_many_ledgers_wait() -> None:
    world = World()
    await world.follow(FILLED)
    world.server.spoil["ledger"] = lambda answer: {**answer, "ledger": {"ledger_data": ""}}
    world.server.asked.clear()
    for _ in range(240):
        assert await world.published(after=0.5) == []
    assert len(world.server.asked) <= 7
    world.server.spoil.clear()
    assert len(await world.published(after=60)) == 3


async def test_ledgers_that_lack_votes_share_the_headers_after_them() -> None:
    world = World()
    await world.follow(FILLED, absent=2)
    await world.published(after=13)
    asked = [params["ledger_index"] for method, params in world.server.asked if params.get("binary")]
    assert sorted(asked) == [24, 25, 25, 26, 27, 27]


async def test_what_no_server_has_and_no_bus_takes_is_lost_after_some_minutes() -> None:
    world = World()
    await world.follow(PLACED)
    world.bus.is_away = True
    assert await world.published(after=599) == []
    assert world.counted("lost") == 0
    assert await world.published(after=2) == []
    assert world.counted("lost") == 1
    world.bus.is_away = False
    assert await world.published() == []


async def test_a_bus_without_the_stream_loses_the_proof_at_once() -> None:
    world = World()
    await world.follow(PLACED)
    world.bus.refuses = True
    assert await world.published() == []
    assert world.counted("lost") == 1


async def test_one_ledger_in_so_many_is_an_anchor_with_the_lists_also_where_nothing_changed() -> None:
    world = World(anchor_ledgers=2)
    await world.follow(FILLED + 1)
    found = await world.published()
    assert [index for index, _, _ in found] == [24, 25, 26, 27, 28]
    assert [len(one.lists) for one in world.bus.stored] == [1, 0, 1, 0, 1]
    assert [len(one.manifests) for one in world.bus.stored] == [0, 0, 1, 1, 1]
    assert [len(one.transactions) for one in world.bus.stored] == [1, 1, 0, 1, 0]


async def test_a_ledger_with_very_many_transactions_comes_in_several_proofs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    await world.follow(PLACED)
    await world.published()
    [only] = world.bus.stored
    [header] = only.headers
    size = sum(map(len, (only.transactions[0].transaction, only.transactions[0].metadata)))
    monkeypatch.setattr("reconciler.proofs.proof_messages._LARGEST", 3 * size)
    many = [
        msgspec.structs.replace(only.transactions[0], transaction_hash=f"{number:064X}")
        for number in range(5)
    ]
    proven = ProvenHeader(blob=header, header=read_header(header))
    messages = list(proof_messages(0, [proven], many, world.feed.validations, with_lists=False))
    assert [one for message in messages for one in message.transactions] == many
    assert [len(message.transactions) for message in messages] == [2, 2, 1]
    assert len({message.event_id for message in messages}) == 3


async def test_more_bytes_than_can_wait_lose_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.proofs.proof_keeper._MOST_BYTES", 1)
    world = World()
    await world.follow(FILLED, absent=5)
    assert await world.published() == []
    assert (world.keeper.waiting, world.counted("lost")) == (1, 2)


async def test_more_ledgers_than_can_wait_lose_the_oldest() -> None:
    world = World(most_waiting=1)
    await world.follow(FILLED)
    assert await world.published() == [(FILLED, FILLED, True)]
    assert world.counted("lost") == 2
