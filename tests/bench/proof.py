"""What it costs to read ledgers whole and proven, and to check a proof: `make bench`.

Process time, the collector frozen, all contenders in turns in one run. The mainnet ledgers lie beside the
project and are encoded again from their JSON; without them the sessions with a node's own bytes are taken.
The former version is run as it was (see `former_version`): it asked for each ledger as JSON and as blobs, and
judged the JSON, which nothing proves.
"""

import gc
import statistics
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import ledger_blobs
import msgspec
import orjson
from former_version import FormerVersion, former_version
from ledger_blobs import BlobLedger as Recorded
from life_proofs import POLICY, life_proof, proven_session
from mainnet import FOLDER as MAINNET
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ledger_proof import check_proof, read_header, write_document
from ledger_proof.base58 import account_bytes
from ledger_proof.owners import OwnerSearch
from ledger_proof.whole_ledger import BlobLedger, prove_blobs
from offer_lifecycle import Reserves, explain_removals

PASSES = 25
RESERVES = Reserves(base=20_000_000, increment=5_000_000)
DELETED_OFFER = b"\xe4\x11\x00\x6f"
"""How a deleted Offer begins in metadata: what lacks it removed none."""

_decode = msgspec.json.Decoder(BlobLedger).decode


class Answers(NamedTuple):
    """What a server answers for one ledger."""

    ledger_index: int
    as_json: bytes
    as_blobs: bytes
    json_answer: bytes
    """The same in its envelope, as the former version reads it."""
    blobs_answer: bytes


def main() -> None:
    """Measure and print."""
    console = Console(width=120)
    recorded, source = ledgers()
    answers = [answered(ledger) for ledger in recorded]
    few, everybody = owners(answers)
    console.print(f"Ledgers of {source}; process time, medians of {PASSES} interleaved passes\n")
    table = measured(answers, contenders(few, everybody, former_version()))
    table.caption = f"to reach: {len(few)} owners' 1.0 x decoding alone and 3.5 x the former version"
    console.print(table)
    console.print(checking())


def ledgers() -> tuple[Sequence[Recorded], str]:
    """Return ledgers with transactions, and where they come from."""
    if MAINNET.exists():
        return ledger_blobs.mainnet_ledgers(), "mainnet, encoded again"
    found = [
        ledger
        for path in ledger_blobs.session_paths()
        for ledger in ledger_blobs.session_ledgers(path)
        if ledger.rows
    ]
    return found, "the sessions with a node's own bytes (the mainnet collection is not here)"


def answered(ledger: Recorded) -> Answers:
    """Write a ledger as a server answers it, expanded, once in JSON and once binary."""
    header = read_header(ledger.header or b"")
    named = {"ledger_hash": header.ledger_hash.hex().upper()}
    rows = [{"tx_blob": tx.hex().upper(), "meta_blob": meta.hex().upper()} for tx, meta in ledger.rows]
    shown = {**named, "transactions": [_as_json(one) for one in ledger.transactions]}
    blobs = {"ledger_data": (ledger.header or b"").hex().upper(), "transactions": rows}
    place = {**named, "ledger_index": header.ledger_index, "validated": True, "status": "success"}
    return Answers(
        ledger_index=header.ledger_index,
        as_json=orjson.dumps(shown),
        as_blobs=orjson.dumps(blobs),
        json_answer=orjson.dumps({"result": {**place, "ledger": shown}}),
        blobs_answer=orjson.dumps({"result": {**place, "ledger": blobs}}),
    )


def _as_json(transaction: Mapping[str, object]) -> dict[str, object]:
    own = {
        name: value for name, value in transaction.items() if name not in {"tx_blob", "meta_blob", "metaData"}
    }
    return {**own, "meta": transaction.get("metaData") or transaction["meta"]}


def owners(answers: Sequence[Answers]) -> tuple[frozenset[str], int]:
    """Return one in ten of the owners of removed offers, the busiest left out, and how many there are."""
    removed: Counter[str] = Counter()
    for answer in answers:
        for tx in prove_blobs(_decode(answer.as_blobs)).transactions():
            removed.update(
                change.account for change, _ in explain_removals(tx, parent_close_time=0, reserves=RESERVES)
            )
    return frozenset(account for account, _ in removed.most_common()[5::10]), len(removed)


def contenders(
    few: frozenset[str], everybody: int, former: FormerVersion
) -> Mapping[str, Callable[[Answers], object]]:
    """Return what is measured, each of one ledger."""
    search = OwnerSearch(map(account_bytes, few))

    def own(answer: Answers) -> None:
        proven = prove_blobs(_decode(answer.as_blobs))
        for place in search.matching([metadata for _, metadata in proven.rows]):
            if DELETED_OFFER in proven.rows[place][1]:
                for _ in explain_removals(
                    proven.transaction(place), parent_close_time=0, reserves=RESERVES, accounts=few
                ):
                    pass

    return {
        "orjson: decoding the JSON alone": lambda answer: orjson.loads(answer.as_json),
        "blobs parsed": lambda answer: _decode(answer.as_blobs),
        "blobs proven": lambda answer: prove_blobs(_decode(answer.as_blobs)),
        f"blobs proven, {len(few)} owners' offers judged": own,
        f"blobs proven, all {everybody} owners' offers judged": every,
        "former version: JSON beside blobs, metadata unproven": lambda answer: former_rows(former, answer),
        "former version, every offer judged": lambda answer: [
            former.explain(row) for row in former_rows(former, answer)
        ],
    }


def every(answer: Answers) -> None:
    """Prove a ledger and judge every offer that it removed."""
    proven = prove_blobs(_decode(answer.as_blobs))
    for place, (_, metadata) in enumerate(proven.rows):
        if DELETED_OFFER in metadata:
            for _ in explain_removals(proven.transaction(place), parent_close_time=0, reserves=RESERVES):
                pass


def former_rows(former: FormerVersion, answer: Answers) -> Sequence[bytes]:
    """Read a ledger as the former version did, and return its transactions, each in JSON."""
    return former.whole_rows(answer.ledger_index, answer.json_answer, answer.blobs_answer)


def measured(answers: Sequence[Answers], passes: Mapping[str, Callable[[Answers], object]]) -> Table:
    """Measure all contenders in turns."""
    transactions = sum(len(_decode(answer.as_blobs).transactions) for answer in answers)
    seconds: dict[str, list[float]] = {name: [] for name in passes}
    gc.collect()
    gc.freeze()
    for _ in track(range(PASSES), "Measuring", console=Console(stderr=True), transient=True):
        for name, one in passes.items():
            started = time.process_time()
            for answer in answers:
                one(answer)
            seconds[name].append(time.process_time() - started)
    typical = {name: statistics.median(took) for name, took in seconds.items()}
    decoding, former = next(iter(typical.values())), list(typical.values())[-2]
    table = Table(title=f"{len(answers)} ledgers, {transactions:,} transactions", title_justify="left")
    for heading in ("", "microseconds a transaction", "x decoding alone", "x former version"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, took in typical.items():
        each = f"{took / transactions * 1e6:.1f}"
        table.add_row(name, each, f"{decoding / took:.2f}", f"{former / took:.2f}")
    return table


def checking() -> Table:
    """Check the proofs of recorded orders, each with 28 votes of a list of 35."""
    sizes, packed, took = [], [], []
    for path in sorted(ledger_blobs.BLOB_SESSIONS.glob("*.json.gz")):
        session = proven_session(path)
        for account, sequence in session.orders:
            if not session.steps(account, sequence):
                continue
            document = write_document(life_proof(session, account, sequence))
            started = time.process_time()
            check_proof(document, POLICY)
            took.append((time.process_time() - started) * 1e3)
            sizes.append(len(document) / 1e3)
            packed.append(len(zlib.compress(document, 9)) / 1e3)
    table = Table(title=f"Proofs of {len(sizes)} recorded orders", title_justify="left")
    for heading in ("", "median", "largest"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, values in (("file, kB", sizes), ("compressed, kB", packed), ("check, ms on one core", took)):
        table.add_row(name, f"{statistics.median(values):.1f}", f"{max(values):.1f}")
    table.caption = "to reach: 45 kB, 25 kB, 20 ms"
    return table


if __name__ == "__main__":
    main()
