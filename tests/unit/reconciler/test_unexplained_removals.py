"""What no server could explain at first is asked about again, and corrected by an event that points at it."""

import json
from itertools import pairwise
from typing import Any

import made_ledger as made
import msgspec
import pytest
from in_memory_bus import Memory, MemoryFeed, MemoryOrders, MemoryStore, NoMarket
from made_ledger import ISSUER, OWNER, listed, offer, tx, usd
from one_account import committed_by, committed_in
from with_a_hole import Clock, by_id, end_state

from ledger_client.server import Answer, LedgerServer, Refused, Unreachable
from order_events import Correction, OrderCorrected, OrderDisappeared, OrderStatus, RemovalReason, Resolution
from reconciler.backfill.unexplained_removals import FIRST_PAUSE, LONGEST_PAUSE, UnexplainedRemovals
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher
from reconciler.following.stored_account import ACCOUNT_KEY, account_value

REMOVED_AT = made.START + 1
FROZEN = {"Account": ISSUER, "Balance": "1", "OwnerCount": 0, "Flags": 0x0040_0000}


class MadeServer:
    """Holds two ledgers: in the second one a stranger's order removes the owner's only offer."""

    def __init__(self, name: str, *, knows: bool = False, chain: str = "L") -> None:
        """`knows`: it says that the issuer had frozen everything in the ledger before."""
        self.name = name
        self.knows = knows
        self.validated = made.START
        self.asked: list[str] = []
        self._chain = chain

    async def request(self, method: str, /, **params: Any) -> Answer:  # noqa: ANN401 - as JSON has them
        self.asked.append(method)
        if "account_root" in params and not self.knows:
            raise Unreachable(self.name, "ledger_entry: no answer")
        found: Answer = getattr(self, f"_{method}")(**params)
        return {"validated": True, "ledger_index": params.get("ledger_index"), **found}

    async def close(self) -> None:
        """Nothing is open."""

    def _server_info(self) -> Answer:
        ledger = {"seq": self.validated, "reserve_base_xrp": 1, "reserve_inc_xrp": "0.2"}
        return {"info": {"complete_ledgers": "1-200", "validated_ledger": ledger, "network_id": 0}}

    def _ledger(self, ledger_index: int) -> Answer:
        names = {
            "ledger_hash": f"{self._chain}{ledger_index}",
            "parent_hash": f"{self._chain}{ledger_index - 1}",
        }
        times = {"close_time": 4 * ledger_index, "parent_close_time": 4 * ledger_index - 4}
        return {"ledger": {"ledger_index": ledger_index, **names, **times}}

    def _account_info(self, **_pinned: object) -> Answer:
        return {"account_data": {"Balance": "50000000", "OwnerCount": 2, "Sequence": 8}}

    def _account_lines(self, **_pinned: object) -> Answer:
        return {"lines": [{"account": ISSUER, "currency": "USD", "balance": "1000"}]}

    def _account_offers(self, ledger_index: int, **_page: object) -> Answer:
        return {"offers": [listed(7, usd("5"), "10000000")] if ledger_index < REMOVED_AT else []}

    def _account_tx(self, ledger_index_min: int, ledger_index_max: int, **_page: object) -> Answer:
        raw = tx("OfferCreate", [offer("DeletedNode", 7, usd("5"), "10000000")])
        record = {
            "tx_json": {name: raw[name] for name in raw if name not in {"hash", "metaData"}},
            "meta": raw["metaData"],
            "hash": raw["hash"],
            "ledger_index": REMOVED_AT,
            "ledger_hash": f"{self._chain}{REMOVED_AT}",
            "validated": True,
        }
        held = [record] if ledger_index_min <= REMOVED_AT <= ledger_index_max else []
        bounds = {"ledger_index_min": ledger_index_min, "ledger_index_max": ledger_index_max}
        return {**bounds, "transactions": held}

    def _ledger_entry(self, **entry: object) -> Answer:
        if "index" in entry:
            return {"node": {"ReserveBaseDrops": "1000000", "ReserveIncrementDrops": "200000"}}
        if "account_root" not in entry:
            raise Refused(self.name, "entryNotFound", "ledger_entry: entryNotFound")
        return {"node": FROZEN}


def follower(memory: Memory) -> Follower:
    return Follower(
        OWNER,
        start_ledger=made.START,
        feed=MemoryFeed(memory),
        store=MemoryStore(memory),
        publisher=Publisher(MemoryOrders(memory), NoMarket(), disappearance_timeout=1),
    )


async def followed(server: MadeServer) -> tuple[Memory, Follower]:
    memory = Memory()
    one = follower(memory)
    await one.advance(server)
    server.validated = REMOVED_AT
    await one.advance(server)
    return memory, one


async def ask(one: Follower, *servers: LedgerServer) -> None:
    """Look until the pause ends once."""
    clock = Clock()
    removals = UnexplainedRemovals(clock=clock)
    await removals.ask_again(one, servers)
    clock.now += FIRST_PAUSE
    await removals.ask_again(one, servers)


async def test_a_later_answer_corrects_the_verdict_and_the_order_ends_as_if_it_had_come_in_time() -> None:
    server = MadeServer("http://one")
    memory, one = await followed(server)
    unexplained = memory.stream[-1]
    assert isinstance(unexplained, OrderDisappeared)
    assert (unexplained.removal_reason, unexplained.resolution) == (
        RemovalReason.UNEXPLAINED,
        Resolution.UNRESOLVED,
    )
    server.knows = True
    await ask(one, server)
    corrected = memory.stream[-1]
    assert isinstance(corrected, OrderCorrected)
    assert (corrected.corrects, corrected.correction) == (unexplained.event_id, Correction.AMENDED)
    assert corrected.anomaly
    assert (corrected.status, corrected.removal_reason) == (OrderStatus.REMOVED, RemovalReason.UNFUNDED)
    assert corrected.resolution is Resolution.RESOLVED
    assert end_state(memory) == end_state((await followed(MadeServer("http://one", knows=True)))[0])


async def test_an_unexplained_removal_outlives_the_process_and_another_server_may_explain_it() -> None:
    silent, other = MadeServer("http://silent"), MadeServer("http://other", knows=True)
    memory, _ = await followed(silent)
    again = follower(memory)
    await again.advance(silent)
    assert len(committed_by(again).unexplained_removals) == 1
    await ask(again, silent, other)
    assert isinstance(memory.stream[-1], OrderCorrected)
    assert committed_by(again).unexplained_removals == ()
    assert committed_in(memory).stored.unexplained_removals == ()


async def test_state_of_an_earlier_version_keeps_its_unexplained_removals() -> None:
    memory, _ = await followed(MadeServer("http://silent"))
    assert len(json.loads(memory.values[f"0.{OWNER}.{ACCOUNT_KEY}"])["doubts"]) == 1


async def test_what_no_server_can_answer_stays_unexplained_and_changes_nothing() -> None:
    server = MadeServer("http://one")
    memory, one = await followed(server)
    before = (by_id(memory), dict(memory.values))
    await ask(one, server)
    assert (by_id(memory), memory.values) == before
    assert len(committed_by(one).unexplained_removals) == 1


async def test_a_server_of_another_chain_explains_nothing() -> None:
    memory, one = await followed(MadeServer("http://one"))
    liar = MadeServer("http://liar", knows=True, chain="X")
    liar.validated = REMOVED_AT
    before = by_id(memory)
    await ask(one, liar)
    assert by_id(memory) == before


async def test_servers_are_asked_ever_more_seldom() -> None:
    server = MadeServer("http://one")
    _, one = await followed(server)
    clock = Clock()
    removals = UnexplainedRemovals(clock=clock)
    attempts = []
    for _ in range(int(3 * LONGEST_PAUSE / FIRST_PAUSE)):
        before = len(server.asked)
        await removals.ask_again(one, [server])
        if len(server.asked) > before:
            attempts.append(clock.now)
        clock.now += FIRST_PAUSE
    pauses = [(after - before) / FIRST_PAUSE for before, after in pairwise(attempts)]
    assert pauses == [2, 4, 8, 16, 32, 60]


async def test_no_more_removals_are_stored_than_fit_beside_every_ledger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reconciler.following.follower._MOST_UNEXPLAINED", 1)
    server = MadeServer("http://one")
    memory, one = await followed(server)
    stored = committed_by(one)
    twice = msgspec.structs.replace(stored, unexplained_removals=2 * stored.unexplained_removals)
    memory.values[f"0.{OWNER}.{ACCOUNT_KEY}"] = account_value(twice)
    again = follower(memory)
    server.validated += 1
    await again.advance(server)
    assert len(committed_by(again).unexplained_removals) == 1
