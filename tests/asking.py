"""Servers for `explain` in tests: recorded ones whose answers are spoiled, and one with made-up answers."""

from collections.abc import Mapping
from typing import Any

import msgspec
from in_process_node import InProcessServer, Spoil, as_written
from made_ledger import Raw
from replaying import recorded as session_of

from ledger_client import read_envelope, result_of

NEWEST = 200
"""The made-up node's newest validated ledger."""


def spoiled(session: str, **spoil: Spoil) -> InProcessServer:
    """A recorded session whose answers to some methods are changed on the way."""
    server = InProcessServer(session_of(session), f"session {session}")
    server.close_ledgers()
    server.spoil.update(spoil)
    return server


def without(transaction_hash: str) -> Spoil:
    """Let the history lack one transaction."""

    def spoil(page: dict[str, Any]) -> dict[str, Any]:
        rows = [row for row in page["transactions"] if row["hash"] != transaction_hash]
        return {**page, "transactions": rows}

    return spoil


class MadeUp:
    """A server that knows one account: its transactions by ledger, and some entries of the ledgers before."""

    name = "made up"

    def __init__(
        self,
        transactions: Mapping[int, Raw],
        *,
        entries: Mapping[str, Any] | None = None,
        following: int = 50,
    ) -> None:
        """`entries`: by the kind of `ledger_entry`, its fields, or the error code that it gets."""
        self.transactions = transactions
        self.entries = entries or {}
        self.following = following
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        self.asked.append((method, params))
        result = getattr(self, method)(params)
        envelope = as_written({"result": {"status": "success", **result}})
        return result_of(self.name, method, read_envelope(self.name, envelope))

    async def close(self) -> None:
        """Nothing is open."""

    def server_info(self, _: Mapping[str, Any]) -> Raw:
        ledger = {"seq": NEWEST, "reserve_base_xrp": 1, "reserve_inc_xrp": 0.2}
        return {"info": {"complete_ledgers": f"1-{NEWEST}", "validated_ledger": ledger}}

    def account_info(self, params: Mapping[str, Any]) -> Raw:
        return _pinned(params, account_data={"Sequence": self.following})

    def ledger(self, params: Mapping[str, Any]) -> Raw:
        index = params["ledger_index"]
        header = {"ledger_index": index, "ledger_hash": f"L{index}", "parent_hash": f"L{index - 1}"}
        return _pinned(params, ledger={**header, "close_time": 4 * index, "parent_close_time": 4 * index - 4})

    def ledger_entry(self, params: Mapping[str, Any]) -> Raw:
        kind = next(name for name in params if name != "ledger_index")
        found = self.entries.get(kind, "entryNotFound")
        return {"error": found} if isinstance(found, str) else _pinned(params, node=found)

    def account_tx(self, params: Mapping[str, Any]) -> Raw:
        rows = [_row(index, raw) for index, raw in sorted(self.transactions.items(), reverse=True)]
        return {"ledger_index_min": 1, "ledger_index_max": params["ledger_index_max"], "transactions": rows}


def _pinned(params: Mapping[str, Any], **result: object) -> Raw:
    return {**result, "ledger_index": params["ledger_index"], "validated": True}


def _row(ledger_index: int, raw: Raw) -> Raw:
    fields = {name: value for name, value in raw.items() if name not in {"hash", "metaData"}}
    return {
        "hash": raw["hash"],
        "ledger_index": ledger_index,
        "tx_json": fields,
        "meta": raw["metaData"],
        "validated": True,
    }
