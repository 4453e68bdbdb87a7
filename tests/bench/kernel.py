"""How fast the kernel judges transactions, beside what it has to beat, measured in one run: `make bench`.

Everything is measured in turns, pass by pass, so that whatever else the machine does hits all alike. The
mainnet transactions lie beside the project; without them the recorded sessions are taken.
"""

import gzip
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import made_ledger as made
import msgspec
import orjson
import psutil
from former_version import FormerVersion, former_version
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
    explain_removals,
    fold_ledger,
    read_transaction,
)

ROOT = Path(__file__).parents[2]
MAINNET = ROOT.parent / "shared" / "mainnet"
SESSIONS = ROOT / "tests" / "data" / "ledgers"
TOKENS, MPTS = SESSIONS / "random_crowd_4.json.gz", SESSIONS / "2026" / "random_mixed_a.json.gz"
TRANSACTIONS = 50_000
"""At least so many are judged by each."""
PAGE = 200
"""What servers answer account_tx with."""
RESERVES = Reserves(base=20_000_000, increment=5_000_000)
HEADER = Header(ledger_index=1, ledger_hash="", parent_hash="", close_time=0, parent_close_time=0)

Pass = Callable[[], object]
T = TypeVar("T")
Judge = Callable[[Any, frozenset[str] | None], object]


class _Unit(msgspec.Struct):
    transactions: list[msgspec.Raw]


_UNIT = msgspec.json.Decoder(_Unit)


def main() -> None:
    """Measure and print."""
    console = Console()
    pages, ledgers, source = recordings()
    console.print(f"Transactions of {source}; each is judged at least {TRANSACTIONS:,} times in all\n")
    former = former_version()
    console.print(judging(f"Pages of {PAGE}, as account_tx answers", pages, former))
    console.print(judging("Whole ledgers", ledgers, former))
    console.print(judging("Orders of XRP and tokens (random_crowd_4)", session_ledgers(TOKENS), former))
    console.print(judging("Orders of MPTs among them (random_mixed_a)", session_ledgers(MPTS), former))
    console.print(tracking())
    console.print(memory())


def recordings() -> tuple[list[bytes], list[bytes], str]:
    """Return pages of transactions and whole ledgers as a server writes them, and where they come from."""
    if MAINNET.exists():
        lines = gzip.decompress((MAINNET / "ledgers.jsonl.gz").read_bytes()).splitlines()
        ledgers = [orjson.dumps(orjson.loads(line)["record"]) for line in lines]
        found = map(
            orjson.loads, gzip.decompress((MAINNET / "transactions.jsonl.gz").read_bytes()).splitlines()
        )
        singles = [{**one["record"], "hash": one["hash"]} for one in found]
        source = "mainnet"
    else:
        ledgers = [ledger for path in sorted(SESSIONS.glob("*.json.gz")) for ledger in session_ledgers(path)]
        singles = [tx for ledger in ledgers for tx in orjson.loads(ledger)["transactions"]]
        source = "the recorded sessions (the mainnet collection is not here)"
    starts = range(0, len(singles), PAGE)
    return [orjson.dumps({"transactions": singles[at : at + PAGE]}) for at in starts], ledgers, source


def session_ledgers(path: Path) -> list[bytes]:
    """Return the whole ledgers of a recorded session."""
    ledgers = orjson.loads(gzip.decompress(path.read_bytes()))["ledgers"]
    return [orjson.dumps({"transactions": ledger["transactions"]}) for ledger in ledgers]


def contenders(units: Sequence[bytes], few: frozenset[str], former: FormerVersion) -> dict[str, Pass]:
    """Return what is measured: one pass over pages or ledgers, each decoded as a server sends it."""

    def each_by(judge: Judge, accounts: frozenset[str] | None) -> Pass:
        return lambda: each(
            lambda unit: each(lambda tx: judge(tx, accounts), _UNIT.decode(unit).transactions), units
        )

    return {
        "orjson: decoding alone": lambda: each(orjson.loads, units),
        "orjson + xrpl-py's parser": lambda: each(
            lambda unit: each(helper, orjson.loads(unit)["transactions"]), units
        ),
        "former version, every offer": each_by(former.explain, None),
        f"former version, {len(few)} owners'": each_by(former.explain, few),
        "Fillproof, every offer": each_by(judged, None),
        f"Fillproof, {len(few)} owners'": each_by(judged, few),
    }


def each(work: Callable[[T], object], items: Iterable[T]) -> None:
    """Do the work for one after the other and keep nothing."""
    for item in items:
        work(item)


def helper(record: dict[str, object]) -> object:
    """Ask xrpl-py's `get_order_book_changes`; it raises at what it does not know (MPTs, negative drops)."""
    try:
        return get_order_book_changes(record.get("meta") or record["metaData"])  # type: ignore[arg-type]
    except (ArithmeticError, KeyError, ValueError, XRPLException):
        return None


def judged(record: bytes | msgspec.Raw, accounts: frozenset[str] | None = None) -> list[str]:
    """Read a transaction, say of every offer that it deleted why, and return whose those were."""
    found = explain_removals(
        read_transaction(record, ledger_index=1), parent_close_time=0, reserves=RESERVES, accounts=accounts
    )
    return [change.account for change, _ in found]


def some_owners(units: Sequence[bytes]) -> frozenset[str]:
    """Return one in ten of the owners of removed offers, without the busiest; of few the less busy half."""
    owners: Counter[str] = Counter()
    for unit in units:
        for tx in _UNIT.decode(unit).transactions:
            owners.update(judged(tx))
    busiest_first = [account for account, _ in owners.most_common()]
    return frozenset(busiest_first[5::10] or busiest_first[len(busiest_first) // 2 :])


def judging(title: str, units: Sequence[bytes], former: FormerVersion) -> Table:
    """Measure all contenders in turns until each has seen enough transactions."""
    transactions = sum(len(_UNIT.decode(unit).transactions) for unit in units)
    passes = contenders(units, some_owners(units), former)
    seconds: dict[str, list[float]] = {name: [] for name in passes}
    for _ in track(range(-(-TRANSACTIONS // transactions)), title, transient=True):
        for name, one in passes.items():
            started = time.process_time()
            one()
            seconds[name].append(time.process_time() - started)
    typical = {name: statistics.median(measured) for name, measured in seconds.items()}
    decoding, helping, *before = list(typical.values())[:4]
    table = Table(title=f"{title}: {transactions:,} transactions", title_justify="left")
    for heading in ("", "transactions/s", "x decoding alone", "x xrpl-py", "x former version"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, took in typical.items():
        former_took = before[name.endswith("owners'")] if name.startswith("Fillproof") else None
        table.add_row(
            name,
            f"{transactions / took:,.0f}",
            f"{decoding / took:.2f}",
            f"{helping / took:.2f}",
            "" if former_took is None else f"{former_took / took:.2f}",
        )
    table.caption = "to reach: 1.5 times decoding alone, 4 times xrpl-py"
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
        state.apply(fold_ledger(state, facts))
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
    tx = read_transaction(made.tx("OfferCreate", nodes, name=f"F{ledger_index}"), ledger_index=ledger_index)
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
        state.apply(fold_ledger(state, _facts(ledger_index, _placed_and_canceled(ledger_index))))
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
    return [read_transaction(raw, ledger_index=ledger_index) for raw in (placed, canceled)]


if __name__ == "__main__":
    main()
