"""How long it takes from a server's bytes to a folded ledger, beside the former version: `make bench`.

Measured is the path of the reconciler: envelope, checks, decoding, the kernel's fold. The former version is
run as it was (see `former_version`): it decoded each answer to a dict and wrote every transaction again, to
read that. Everything is measured in turns, pass by pass, in process time with the garbage collector frozen;
one history is let go before the next is read, as the reconciler does.
"""

import gc
import gzip
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import orjson
from former_version import LOOP, FormerVersion, former_version
from replaying import recorded
from rich.console import Console
from rich.table import Table

from console.recorded_server import closed_session
from ledger_client import account_history, json_rpc_result, read_envelope, result_of
from ledger_client.whole_ledger import WholeLedger, read_whole
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
FORMER = "former version"


class History(NamedTuple):
    """An account, and what a server answers when it is asked for its transactions."""

    account: str
    transactions: int
    over_json_rpc: bytes
    over_websocket: bytes


class Canned:
    """A server whose answers are there already, as bytes (see `LedgerServer`)."""

    name = "canned"

    def __init__(
        self,
        result: Callable[[str, str, bytes], msgspec.Raw],
        answer: Callable[[Mapping[str, object]], bytes],
    ) -> None:
        """`result`: what a transport makes of an answer's bytes."""
        self._result = result
        self._answer = answer

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        return self._result(self.name, method, self._answer(params))

    async def close(self) -> None:
        pass


def _from_websocket(server: str, method: str, payload: bytes) -> msgspec.Raw:
    return result_of(server, method, read_envelope(server, payload))


def main() -> None:
    """Measure and print."""
    console = Console()
    former = former_version()
    histories, source = account_histories()
    console.print(reading_accounts(histories, source, former))
    console.print(reading_whole_ledgers(former))


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


async def product_account(history: History, server: Canned) -> list[Transaction]:
    """Read an account's history as the reconciler does."""
    found = await account_history(server, history.account, 1, LAST)
    return [one.transaction for one in found]


def reading_accounts(histories: Sequence[History], source: str, former: FormerVersion) -> Table:
    """Measure account_tx over both transports."""
    read: dict[str, Callable[[History], Awaitable[list[Any]]]] = {
        FORMER: lambda one: former.read_account(one.account, one.over_json_rpc, LAST),
        "JSON-RPC": lambda one: product_account(one, Canned(json_rpc_result, lambda _: one.over_json_rpc)),
        "WebSocket": lambda one: product_account(one, Canned(_from_websocket, lambda _: one.over_websocket)),
    }
    fold: dict[str, Callable[[str, Iterable[Any]], int]] = {FORMER: former.fold}

    async def count(way: Callable[[History], Awaitable[list[Any]]]) -> int:
        return sum([len(await way(one)) for one in histories])

    async def count_events(name: str, way: Callable[[History], Awaitable[list[Any]]]) -> int:
        return sum([fold.get(name, folded)(one.account, await way(one)) for one in histories])

    counted = {name: lambda way=way: LOOP.run_until_complete(count(way)) for name, way in read.items()}
    to_folded = {
        name: lambda name=name, way=way: LOOP.run_until_complete(count_events(name, way))
        for name, way in read.items()
    }
    transactions = sum(one.transactions for one in histories)
    title = f"account_tx: {transactions:,} transactions of {source}"
    return _table(title, _in_turns(counted), _in_turns(to_folded), transactions)


class Whole(NamedTuple):
    """One ledger as a server answers it: as JSON and as blobs."""

    ledger_index: int
    rows: bytes
    blobs: bytes


def reading_whole_ledgers(former: FormerVersion) -> Table:
    """Measure whole ledgers, read for all accounts of a recorded session; both ways prove each ledger."""
    node = closed_session(CROWD)
    ledgers = [_whole(node, ledger.ledger_index) for ledger in CROWD.ledgers if ledger.transactions][:60]
    accounts = list(CROWD.accounts.values())
    transactions = sum(len(orjson.loads(one.rows)["result"]["ledger"]["transactions"]) for one in ledgers)

    def product(one: Whole) -> list[list[Transaction]]:
        whole = LOOP.run_until_complete(_product_whole(one))
        return [[found.transaction for found in whole.of(account)] for account in accounts]

    def as_before(one: Whole) -> list[list[Any]]:
        return former.read_whole(one.ledger_index, one.rows, one.blobs, accounts)

    def counted(way: Callable[[Whole], list[list[Any]]]) -> int:
        return sum(len(found) for one in ledgers for found in way(one))

    def to_folded(way: Callable[[Whole], list[list[Any]]], fold: Callable[[str, Iterable[Any]], int]) -> int:
        return sum(
            fold(account, found) for one in ledgers for account, found in zip(accounts, way(one), strict=True)
        )

    return _table(
        f"Whole ledgers, proven, read for {len(accounts)} accounts: {transactions:,} transactions",
        _in_turns({FORMER: lambda: counted(as_before), "JSON-RPC": lambda: counted(product)}),
        _in_turns(
            {
                FORMER: lambda: to_folded(as_before, former.fold),
                "JSON-RPC": lambda: to_folded(product, folded),
            }
        ),
        transactions,
    )


def _whole(node: Any, ledger_index: int) -> Whole:  # noqa: ANN401 - the recorded session's server
    question = {"ledger_index": ledger_index, "transactions": True, "expand": True}
    rows, blobs = (
        orjson.dumps({"result": {**node.answer("ledger", {**question, **form}), "status": "success"}})
        for form in ({}, {"binary": True})
    )
    return Whole(ledger_index=ledger_index, rows=rows, blobs=blobs)


async def _product_whole(one: Whole) -> WholeLedger:
    server = Canned(json_rpc_result, lambda params: one.blobs if params.get("binary") else one.rows)
    return await read_whole(server, one.ledger_index)


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
        "x the former version",
        "read and folded, microseconds",
        "x the former version",
        "folding alone, x",
    ):
        table.add_column(heading, justify="right" if heading else "left")
    for name in reading:
        table.add_row(
            name,
            f"{reading[name] / transactions * 1e6:.1f}",
            f"{reading[FORMER] / reading[name]:.2f}",
            f"{to_folded[name] / transactions * 1e6:.1f}",
            f"{to_folded[FORMER] / to_folded[name]:.2f}",
            f"{(to_folded[FORMER] - reading[FORMER]) / (to_folded[name] - reading[name]):.2f}",
        )
    reach = f"to reach: read {TO_REACH:g} times as fast as the former version, folding alone no slower"
    table.caption = f"a transaction, medians; {reach}"
    return table


if __name__ == "__main__":
    main()
