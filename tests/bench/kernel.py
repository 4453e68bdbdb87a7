"""How fast the kernel judges transactions, beside what it has to beat, measured in one run: `make bench`.

Everything is measured in turns, pass by pass, so that whatever else the machine does hits all alike. The
mainnet transactions lie beside the project; without them the recorded sessions are taken.
"""

import gzip
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path

import made_ledger as made
import msgspec
import orjson
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table
from xrpl import XRPLException
from xrpl.utils import get_order_book_changes

from offer_lifecycle import (
    Header,
    LedgerFacts,
    Reserves,
    Transaction,
    fold,
    normalise,
    removals,
)

ROOT = Path(__file__).parents[2]
MAINNET = ROOT.parent / "shared" / "mainnet"
SESSIONS = ROOT / "tests" / "data" / "ledgers"
TRANSACTIONS = 50_000
"""At least so many are judged by each."""
RESERVES = Reserves(base=20_000_000, increment=5_000_000)
HEADER = Header(ledger_index=1, ledger_hash="", parent_hash="", close_time=0, parent_close_time=0)

Pass = Callable[[], object]


class _Ledger(msgspec.Struct):
    transactions: list[msgspec.Raw]


_LEDGER = msgspec.json.Decoder(_Ledger)


def main() -> None:
    """Measure and print."""
    console = Console()
    singles, ledgers, source = recordings()
    console.print(f"{len(singles):,} transactions and {len(ledgers)} whole ledgers of {source}\n")
    console.print(judging("Single transactions", singles, of_transactions(singles), len(singles)))
    held = sum(len(_LEDGER.decode(ledger).transactions) for ledger in ledgers)
    console.print(judging("Whole ledgers", ledgers, of_ledgers(ledgers), held))
    console.print(tracking())
    console.print(memory())


def recordings() -> tuple[list[bytes], list[bytes], str]:
    """Return single transactions and whole ledgers as a server writes them, and where they come from."""
    if not MAINNET.exists():
        ledgers = [
            orjson.dumps({"transactions": ledger["transactions"]})
            for path in sorted(SESSIONS.glob("*.json.gz"))
            for ledger in orjson.loads(gzip.decompress(path.read_bytes()))["ledgers"]
        ]
        singles = [bytes(raw) for ledger in ledgers for raw in _LEDGER.decode(ledger).transactions]
        return singles, ledgers, "the recorded sessions (the mainnet collection is not here)"
    singles = []
    for line in gzip.decompress((MAINNET / "transactions.jsonl.gz").read_bytes()).splitlines():
        found = orjson.loads(line)
        singles.append(orjson.dumps({**found["record"], "hash": found["hash"]}))
    lines = gzip.decompress((MAINNET / "ledgers.jsonl.gz").read_bytes()).splitlines()
    return singles, [orjson.dumps(orjson.loads(line)["record"]) for line in lines], "mainnet"


def of_transactions(records: Sequence[bytes]) -> dict[str, Pass]:
    """Return what is measured on single transactions, one pass over them each."""
    return {
        "orjson: decoding alone": lambda: [orjson.loads(record) for record in records],
        "orjson + xrpl-py get_order_book_changes": lambda: [
            helper(orjson.loads(record)) for record in records
        ],
        "Fillproof: read and judged": lambda: [judged(record) for record in records],
    }


def of_ledgers(ledgers: Sequence[bytes]) -> dict[str, Pass]:
    """Return what is measured on whole ledgers, one pass over them each."""
    return {
        "orjson: decoding alone": lambda: [orjson.loads(ledger) for ledger in ledgers],
        "orjson + xrpl-py get_order_book_changes": lambda: [
            helper(tx) for ledger in ledgers for tx in orjson.loads(ledger)["transactions"]
        ],
        "Fillproof: read and judged": lambda: [
            judged(tx) for ledger in ledgers for tx in _LEDGER.decode(ledger).transactions
        ],
    }


def helper(record: dict[str, object]) -> object:
    """Ask xrpl-py; it raises at what it does not know (MPT amounts, prices of nothing)."""
    try:
        return get_order_book_changes(record.get("meta") or record["metaData"])  # type: ignore[arg-type]
    except (ArithmeticError, KeyError, ValueError, XRPLException):
        return None


def judged(record: bytes | msgspec.Raw) -> int:
    """Read a transaction and say of every offer that it deleted why; return how many those were."""
    return len(list(removals(normalise(record, ledger_index=1), HEADER, RESERVES)))


def judging(title: str, records: Sequence[bytes], passes: dict[str, Pass], transactions: int) -> Table:
    """Measure the passes in turns until each has seen enough transactions."""
    seconds: dict[str, list[float]] = {name: [] for name in passes}
    for _ in track(range(-(-TRANSACTIONS // transactions)), title, transient=True):
        for name, one in passes.items():
            started = time.perf_counter()
            one()
            seconds[name].append(time.perf_counter() - started)
    typical = {name: statistics.median(measured) for name, measured in seconds.items()}
    decoding, helping, ours = typical.values()
    table = Table(
        title=f"{title}: {sum(map(len, records)) / transactions:,.0f} bytes each", title_justify="left"
    )
    for heading in ("", "transactions/s", "x decoding alone", "x xrpl-py"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, took in typical.items():
        table.add_row(name, f"{transactions / took:,.0f}", f"{decoding / took:.2f}", f"{helping / took:.2f}")
    table.caption = (
        f"to reach: 1.5 times decoding alone ({decoding / ours:.2f}), 4 times xrpl-py ({helping / ours:.2f})"
    )
    return table


def tracking() -> Table:
    """Measure a ledger that touches ten orders, by how many are tracked."""
    table = Table(title="A ledger that fills ten orders, by how many are tracked", title_justify="left")
    for heading in ("orders tracked", "microseconds a ledger", "x one ledger of 10 tracked"):
        table.add_column(heading, justify="right")
    base = 0.0
    for tracked in (10, 1_000, 10_000, 100_000):
        took = _ledger_seconds(tracked)
        base = base or took
        table.add_row(f"{tracked:,}", f"{took * 1e6:,.0f}", f"{took / base:.2f}")
    return table


def _ledger_seconds(tracked: int) -> float:
    offers = [made.listed(1000 + number, "1000000000", made.usd("500")) for number in range(tracked)]
    state = made.state(offers=offers, drops=10**15)
    ledgers = [_filling(state.record.ledger_index + 1 + number, number) for number in range(200)]
    measured = []
    for facts in ledgers:
        started = time.perf_counter()
        state.apply(fold(state, facts))
        measured.append(time.perf_counter() - started)
    return statistics.median(measured)


def _filling(ledger_index: int, number: int) -> LedgerFacts:
    left, before = 10**9 - 1000 * (number + 1), 10**9 - 1000 * number
    nodes = [
        made.offer(
            "ModifiedNode",
            1000 + order,
            str(left),
            made.usd(str(Decimal(left) / 2_000_000)),
            before={"TakerGets": str(before), "TakerPays": made.usd(str(Decimal(before) / 2_000_000))},
        )
        for order in range(10)
    ]
    tx = normalise(made.tx("OfferCreate", nodes, name=f"F{ledger_index}"), ledger_index=ledger_index)
    return _facts(ledger_index, [tx])


def _facts(ledger_index: int, transactions: Iterable[Transaction]) -> LedgerFacts:
    return LedgerFacts(
        header=made.header(ledger_index), reserves=made.RESERVES, transactions=tuple(transactions)
    )


def memory() -> Table:
    """Follow an account that places and cancels an order in every ledger, and look at the process."""
    table = Table(title="Memory, one order placed and canceled a ledger", title_justify="left")
    for heading in ("ledgers", "MB in use", "x after the first thousand"):
        table.add_column(heading, justify="right")
    state, base, process = made.state(), 0.0, psutil.Process()
    for ledger_index in range(made.START + 1, made.START + 50_001):
        state.apply(fold(state, _facts(ledger_index, _placed_and_canceled(ledger_index))))
        done = ledger_index - made.START
        if done in {1_000, 10_000, 50_000}:
            used = process.memory_info().rss / 2**20
            base = base or used
            table.add_row(f"{done:,}", f"{used:,.1f}", f"{used / base:.3f}")
    return table


def _placed_and_canceled(ledger_index: int) -> list[Transaction]:
    sequence = 2 * ledger_index
    order = {"TakerGets": "1000000", "TakerPays": made.usd("1")}
    placed = made.tx(
        "OfferCreate",
        [made.offer("CreatedNode", sequence, "1000000", made.usd("1"))],
        account=made.OWNER,
        sequence=sequence,
        name=f"P{ledger_index}",
        **order,
    )
    canceled = made.tx(
        "OfferCancel",
        [made.offer("DeletedNode", sequence, "1000000", made.usd("1"), previous=f"P{ledger_index}")],
        account=made.OWNER,
        sequence=sequence + 1,
        name=f"C{ledger_index}",
        index=1,
        OfferSequence=sequence,
    )
    return [normalise(raw, ledger_index=ledger_index) for raw in (placed, canceled)]


if __name__ == "__main__":
    main()
