"""A server with two made ledgers: in the second one a removal that only some servers can explain."""

from typing import Any

import made_ledger as made
import msgspec
from in_memory_bus import Memory, MemoryFeed, MemoryOrders, MemoryStore, NoMarket
from in_process_node import as_written
from made_ledger import ISSUER, OWNER, listed, offer, tx, usd
from with_a_hole import Clock

from ledger_client import LedgerServer, Refused, Unreachable
from reconciler.backfill.unexplained_removals import FIRST_PAUSE, UnexplainedRemovals
from reconciler.following.follower import Follower
from reconciler.following.publisher import Publisher

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

    async def request(self, method: str, /, **params: Any) -> msgspec.Raw:  # noqa: ANN401 - as JSON has them
        self.asked.append(method)
        if "account_root" in params and not self.knows:
            raise Unreachable(self.name, "ledger_entry: no answer")
        found: made.Raw = getattr(self, f"_{method}")(**params)
        return as_written({"validated": True, "ledger_index": params.get("ledger_index"), **found})

    async def close(self) -> None:
        """Nothing is open."""

    def _server_info(self) -> made.Raw:
        ledger = {"seq": self.validated, "reserve_base_xrp": 1, "reserve_inc_xrp": "0.2"}
        return {"info": {"complete_ledgers": "1-200", "validated_ledger": ledger, "network_id": 0}}

    def _ledger(self, ledger_index: int) -> made.Raw:
        names = {
            "ledger_hash": f"{self._chain}{ledger_index}",
            "parent_hash": f"{self._chain}{ledger_index - 1}",
        }
        times = {"close_time": 4 * ledger_index, "parent_close_time": 4 * ledger_index - 4}
        return {"ledger": {"ledger_index": ledger_index, **names, **times}}

    def _account_info(self, **_pinned: object) -> made.Raw:
        return {"account_data": {"Balance": "50000000", "OwnerCount": 2, "Sequence": 8}}

    def _account_lines(self, **_pinned: object) -> made.Raw:
        return {"lines": [{"account": ISSUER, "currency": "USD", "balance": "1000"}]}

    def _account_objects(self, **_page: object) -> made.Raw:
        return {"account_objects": []}

    def _account_offers(self, ledger_index: int, **_page: object) -> made.Raw:
        return {"offers": [listed(7, usd("5"), "10000000")] if ledger_index < REMOVED_AT else []}

    def _account_tx(self, ledger_index_min: int, ledger_index_max: int, **_page: object) -> made.Raw:
        fee = made.root(49_999_988, before=50_000_000, account=made.STRANGER)
        raw = tx("OfferCreate", [offer("DeletedNode", 7, usd("5"), "10000000"), fee])
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

    def _ledger_entry(self, **entry: object) -> made.Raw:
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
