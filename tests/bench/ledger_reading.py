"""How long the product takes from a server's bytes to a folded ledger, beside the old way: `make bench`.

Measured is the path of the reconciler: envelope, checks, decoding, the kernel's fold. The old way is restated
here by its essential steps: it decoded each answer to a dict and wrote every transaction again, to read that.
Everything is measured in turns, pass by pass, in process time with the garbage collector frozen.
"""

import asyncio
import gc
import gzip
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import orjson
from replaying import recorded
from rich.console import Console
from rich.table import Table

from console.recorded_server import closed_session
from ledger_client import LedgerTransaction, account_history, read_envelope, result_of
from ledger_client.whole_ledger import WholeLedger, read_whole
from ledger_proof import read_header
from ledger_proof.transaction_tree import leaf, tree_root
from offer_lifecycle import (
    Header,
    LedgerFacts,
    Reserves,
    Transaction,
    adopt_without_snapshot,
    fold_ledger,
    read_transaction,
)

MAINNET = Path(__file__).parents[3] / "shared" / "mainnet" / "transactions.jsonl.gz"
CROWD = recorded("random_crowd_4")
ACCOUNTS = 40
"""The busiest of the mainnet transactions; each is read and folded by itself."""
PASSES = 15
RESERVES = Reserves(base=20_000_000, increment=5_000_000)
LAST = 2**31
TO_REACH = 3.0


class History(NamedTuple):
    """An account, and what a server answers when it is asked for its transactions."""

    account: str
    transactions: int
    over_json_rpc: bytes
    over_websocket: bytes


class Canned:
    """A server whose answers are there already, as bytes (see `LedgerServer`)."""

    name = "canned"

    def __init__(self, answer: Callable[[Mapping[str, object]], bytes]) -> None:
        self._answer = answer

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        return result_of(self.name, method, read_envelope(self.name, self._answer(params)))

    async def close(self) -> None:
        pass


def main() -> None:
    """Measure and print."""
    console = Console()
    histories, source = account_histories()
    console.print(reading_accounts(histories, source))
    console.print(reading_whole_ledgers())


def account_histories() -> tuple[list[History], str]:
    """Return the busiest accounts' histories as servers write them, and where they come from."""
    if not MAINNET.exists():
        return list(_recorded_histories()), "a recorded session (the mainnet collection is not here)"
    rows = [
        _as_account_tx_shows_it(orjson.loads(line))
        for line in gzip.decompress(MAINNET.read_bytes()).splitlines()
    ]
    read = [(row, read_transaction(row)) for row in rows if row["ledger_index"]]
    owners = Counter(tx.account for _, tx in read)
    owners.update(account for row, _ in read for account in set(_offer_owners(row)))
    return [
        _history(account, [row for row, tx in read if tx.touches(account)])
        for account, _ in owners.most_common(ACCOUNTS)
    ], "mainnet"


def _recorded_histories() -> Iterator[History]:
    node = closed_session(CROWD)
    for account in CROWD.accounts.values():
        question = {"account": account, "ledger_index_min": -1, "ledger_index_max": -1, "forward": True}
        yield _history(account, node.answer("account_tx", {**question, "limit": 10_000})["transactions"])


def _as_account_tx_shows_it(one: dict[str, Any]) -> dict[str, Any]:
    record = one["record"]
    bodies = (record.get(name) for name in ("tx_json", "tx", "transaction"))
    fields = next(filter(None, bodies), {k: v for k, v in record.items() if k not in {"meta", "metaData"}})
    return {
        "hash": one["hash"],
        "ledger_index": one["ledger_index"],
        "ledger_hash": "0" * 64,
        "tx_json": fields,
        "meta": record.get("meta") or record["metaData"],
        "validated": True,
    }


def _offer_owners(row: dict[str, Any]) -> Iterator[str]:
    for wrapped in row["meta"]["AffectedNodes"]:
        for node in wrapped.values():
            fields = node.get("FinalFields") or node.get("NewFields") or {}
            if node["LedgerEntryType"] == "Offer" and "Account" in fields:
                yield fields["Account"]


def _history(account: str, rows: Sequence[dict[str, Any]]) -> History:
    place = {"account": account, "ledger_index_min": 1, "ledger_index_max": LAST, "validated": True}
    result = {**place, "transactions": rows}
    said = {"status": "success", "type": "response"}
    return History(
        account=account,
        transactions=len(rows),
        over_json_rpc=orjson.dumps({"result": {**result, "status": "success"}}),
        over_websocket=orjson.dumps({"id": 7, "result": result, **said}),
    )


def folded(account: str, transactions: Iterable[Transaction]) -> int:
    """Fold an account's transactions, ledger by ledger, and return how many events came out."""
    state, events = None, 0
    ordered = sorted(transactions, key=lambda tx: (tx.ledger_index, tx.index))
    for ledger_index, group in groupby(ordered, key=lambda tx: tx.ledger_index):
        state = state or adopt_without_snapshot(
            network_id=0, account=account, header=_header(ledger_index - 1)
        )
        facts = LedgerFacts(header=_header(ledger_index), reserves=RESERVES, transactions=tuple(group))
        outcome = fold_ledger(state, facts)
        state.apply(outcome)
        events += len(outcome.events)
    return events


def _header(ledger_index: int) -> Header:
    return Header(
        ledger_index=ledger_index,
        ledger_hash="",
        parent_hash="",
        close_time=4 * ledger_index,
        parent_close_time=4 * ledger_index - 4,
    )


async def product_account(history: History, payload: bytes) -> list[Transaction]:
    """Read an account's history as the reconciler does."""
    found = await account_history(Canned(lambda _: payload), history.account, 1, LAST)
    return [one.transaction for one in found]


_DICTS = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class _OldPage(msgspec.Struct):
    transactions: list[dict[str, Any]]


def old_account(payload: bytes) -> list[Transaction]:
    """Do the same as before: answer to dict, dict to bytes, bytes to transaction."""
    envelope = _DICTS.decode(payload)
    result = envelope["result"]
    if "error" in result or "success" not in (envelope.get("status"), result.get("status")):
        raise AssertionError("expected a successful answer")
    page = msgspec.convert(result, _OldPage, strict=False)
    found = {}
    for record in page.transactions:
        tx = read_transaction(record)
        if record.get("validated") is not True or not 1 <= tx.ledger_index <= LAST:
            raise AssertionError("expected validated transactions")
        found[tx.hash] = LedgerTransaction(transaction=tx, ledger_hash=str(record.get("ledger_hash")))
    one_after_the_other = sorted(
        found.values(), key=lambda one: (one.transaction.ledger_index, one.transaction.index)
    )
    return [one.transaction for one in one_after_the_other]


def reading_accounts(histories: Sequence[History], source: str) -> Table:
    """Measure account_tx over both transports."""
    transactions = sum(one.transactions for one in histories)
    read: dict[str, Callable[[], list[list[Transaction]]]] = {
        "old way": lambda: [old_account(one.over_json_rpc) for one in histories],
        "JSON-RPC": lambda: asyncio.run(_each(product_account(one, one.over_json_rpc) for one in histories)),
        "WebSocket": lambda: asyncio.run(
            _each(product_account(one, one.over_websocket) for one in histories)
        ),
    }

    def fold_all(way: Callable[[], list[list[Transaction]]]) -> int:
        return sum(folded(one.account, found) for one, found in zip(histories, way(), strict=True))

    counted = {name: lambda way=way: sum(map(len, way())) for name, way in read.items()}
    to_folded = {name: lambda way=way: fold_all(way) for name, way in read.items()}
    return _table(
        f"account_tx: {transactions:,} transactions of {source}",
        _in_turns(counted),
        _in_turns(to_folded),
        transactions,
    )


class Whole(NamedTuple):
    """One ledger as a server answers it: as JSON and as blobs."""

    ledger_index: int
    rows: bytes
    blobs: bytes


def reading_whole_ledgers() -> Table:
    """Measure whole ledgers, read for all accounts of a recorded session; both ways prove each ledger."""
    node = closed_session(CROWD)
    ledgers = [_whole(node, ledger.ledger_index) for ledger in CROWD.ledgers if ledger.transactions][:60]
    accounts = list(CROWD.accounts.values())
    transactions = sum(len(orjson.loads(one.rows)["result"]["ledger"]["transactions"]) for one in ledgers)

    def product() -> list[list[Transaction]]:
        return [
            [one.transaction for one in whole.of(account)]
            for whole in asyncio.run(_each(_product_whole(one) for one in ledgers))
            for account in accounts
        ]

    def old() -> list[list[Transaction]]:
        return [found for one in ledgers for found in _old_whole(one, accounts)]

    def fold_all(way: Callable[[], list[list[Transaction]]]) -> int:
        owners = accounts * len(ledgers)
        return sum(folded(account, found) for account, found in zip(owners, way(), strict=True))

    read = {"old way": old, "JSON-RPC": product}
    counted = {name: lambda way=way: sum(map(len, way())) for name, way in read.items()}
    to_folded = {name: lambda way=way: fold_all(way) for name, way in read.items()}
    title = f"Whole ledgers, proven, read for {len(accounts)} accounts: {transactions:,} transactions"
    return _table(title, _in_turns(counted), _in_turns(to_folded), transactions)


def _whole(node: Any, ledger_index: int) -> Whole:  # noqa: ANN401 - the recorded session's server
    question = {"ledger_index": ledger_index, "transactions": True, "expand": True}
    rows, blobs = (
        orjson.dumps({"result": {**node.answer("ledger", {**question, **form}), "status": "success"}})
        for form in ({}, {"binary": True})
    )
    return Whole(ledger_index=ledger_index, rows=rows, blobs=blobs)


async def _product_whole(one: Whole) -> WholeLedger:
    server = Canned(lambda params: one.blobs if params.get("binary") else one.rows)
    return await read_whole(server, one.ledger_index)


class _OldRows(msgspec.Struct):
    transactions: list[dict[str, Any]]


class _OldBlob(msgspec.Struct):
    tx_blob: str
    meta_blob: str


class _OldBlobs(msgspec.Struct):
    ledger_data: str
    transactions: list[_OldBlob]


def _old_whole(one: Whole, accounts: Sequence[str]) -> list[list[Transaction]]:
    shown = msgspec.convert(_DICTS.decode(one.rows)["result"]["ledger"], _OldRows, strict=False)
    proof = msgspec.convert(_DICTS.decode(one.blobs)["result"]["ledger"], _OldBlobs, strict=False)
    leaves = dict(
        leaf(bytes.fromhex(blob.tx_blob), bytes.fromhex(blob.meta_blob)) for blob in proof.transactions
    )
    if tree_root(list(leaves.items())) != read_header(bytes.fromhex(proof.ledger_data)).transaction_root:
        raise AssertionError("expected the recorded ledger's own root")
    place = {"ledger_index": one.ledger_index, "ledger_hash": "", "validated": True}
    rows = [msgspec.json.encode({**place, **row}) for row in shown.transactions]
    affected = [_old_affected(row) for row in shown.transactions]
    return [
        [
            read_transaction(_DICTS.decode(row))
            for row, names in zip(rows, affected, strict=True)
            if account in names
        ]
        for account in accounts
    ]


def _old_affected(row: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for wrapped in row["meta"]["AffectedNodes"]:
        for kind, node in wrapped.items():
            fields = node.get("NewFields" if kind == "CreatedNode" else "FinalFields", {})
            for name, value in fields.items():
                if isinstance(value, str) and value.startswith("r"):
                    found.add(value)
                elif name in {"LowLimit", "HighLimit", "TakerGets", "TakerPays"} and isinstance(value, dict):
                    found.add(value["issuer"])
    return found


async def _each(coroutines: Iterable[Any]) -> list[Any]:
    return [await one for one in coroutines]


def _in_turns(ways: Mapping[str, Callable[[], int]]) -> dict[str, float]:
    """Return the median seconds of each way; all must come to the same count."""
    outcomes = {name: way() for name, way in ways.items()}
    if len(set(outcomes.values())) != 1 or not all(outcomes.values()):
        raise AssertionError(f"expected the same from each way, found {outcomes}")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    gc.collect()
    gc.freeze()
    for _ in range(PASSES):
        for name, way in ways.items():
            started = time.process_time()
            way()
            seconds[name].append(time.process_time() - started)
    gc.unfreeze()
    return {name: statistics.median(measured) for name, measured in seconds.items()}


def _table(
    title: str, reading: Mapping[str, float], to_folded: Mapping[str, float], transactions: int
) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in (
        "",
        "read, microseconds",
        "x the old way",
        "read and folded, microseconds",
        "x the old way",
    ):
        table.add_column(heading, justify="right" if heading else "left")
    for name in reading:
        table.add_row(
            name,
            f"{reading[name] / transactions * 1e6:.1f}",
            f"{reading['old way'] / reading[name]:.2f}",
            f"{to_folded[name] / transactions * 1e6:.1f}",
            f"{to_folded['old way'] / to_folded[name]:.2f}",
        )
    table.caption = f"a transaction, medians; to reach: read {TO_REACH:g} times as fast as the old way"
    return table


if __name__ == "__main__":
    main()
