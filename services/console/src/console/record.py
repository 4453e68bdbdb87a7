"""`fillproof record`: a session of one account from a live node, for `replay` and `explain --session`.

The format is that of the recorded sessions (docs/recordings.md). What `replay` would have to ask a live node
about the ledger before a removal is asked once, while the node still has it, and kept as `state`.
"""

import asyncio
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from console.asking import checked_address, server_at
from console.ending import explained
from console.errors import BadOption
from console.replay import steps
from ledger_client import LedgerServer, Refused, ask, decide_with_questions, ledger_entry
from offer_lifecycle import StateAnswer, StateRequest, read_transaction
from replay_node.fees import FEE_SETTINGS
from replay_node.session import RecordedLedger, Session

Json = dict[str, Any]

_ROLE = "account"
_PAGE = 400


def record_command(
    *,
    xrpl: Annotated[str, typer.Option(help="A node: http(s)://..., ws(s)://... or @FILE with one")],
    account: Annotated[str, typer.Option(metavar="ADDRESS", help="The account to record (classic address).")],
    ledgers: Annotated[str, typer.Option(metavar="FIRST-LAST", help="The ledgers, both ends included.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .json.gz file to write.")],
) -> None:
    """Record what a node says of an account over some ledgers, so that it can be replayed.

    Exit status: 0 written; 1 the node can't be used; 2 bad input, or no node answers.

    Example: fillproof record --xrpl URL --account ADDRESS --ledgers 100-120 -o mine.json.gz
    """
    with explained():
        first, last = _range(ledgers)
        session = asyncio.run(_recorded(xrpl, checked_address(account), first, last))
    written = msgspec.json.encode(session)
    output.write_bytes(gzip.compress(written) if output.suffix == ".gz" else written)
    typer.echo(f"{output}: {len(session.ledgers)} ledgers, {len(session.orders)} orders", err=True)


async def _recorded(url: str, account: str, first: int, last: int) -> Session:
    server = server_at(url)
    try:
        return await recorded_session(server, account, first, last)
    finally:
        await server.close()


async def recorded_session(server: LedgerServer, account: str, first: int, last: int) -> Session:
    """Read the account and its transactions ledger by ledger, then the state that a replay would lack.

    Raises:
        ServerError: as every request.

    """
    ledgers = tuple([await _ledger(server, account, index) for index in range(first, last + 1)])
    session = Session(
        name=f"{account}_{first}-{last}",
        about=f"{account} in ledgers {first} to {last}, recorded from {server.name}",
        accounts={_ROLE: account},
        ledgers=ledgers,
        orders=tuple(_orders(account, ledgers)),
    )
    return await decide_with_questions(partial(_with_state, session), _lacking, partial(_answer, server))


def _range(ledgers: str) -> tuple[int, int]:
    first, _, last = ledgers.partition("-")
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise BadOption(f"expected --ledgers FIRST-LAST, as 100-120, found {ledgers!r}")
    return int(first), int(last)


async def _ledger(server: LedgerServer, account: str, index: int) -> RecordedLedger:
    answer = await ask(server, "ledger", Json, ledger_index=index, transactions=True, expand=True)
    header: Json = answer["ledger"]
    records = [_as_version_1(record, index) for record in header.pop("transactions", [])]
    mine = [raw for raw in records if read_transaction(raw, ledger_index=index).touches(account)]
    reserves: Json = {"entry": {"index": FEE_SETTINGS["index"]}}
    reserves["node"] = await ledger_entry(server, index, reserves["entry"]) or FEE_SETTINGS
    return RecordedLedger(
        ledger_index=index,
        header={"ledger_hash": answer.get("ledger_hash"), **header},
        transactions=tuple(sorted(mine, key=lambda raw: raw["metaData"]["TransactionIndex"])),
        stream=(),
        after={_ROLE: await _shown(server, account, index)},
        state=(reserves,),
    )


def _as_version_1(record: Json, index: int) -> Json:
    """Write a transaction as api_version 1 expands it, whichever version the node answers with."""
    body = record.get("tx_json", record)
    meta = record.get("meta") or record["metaData"]
    kept = {name: value for name, value in body.items() if name not in {"meta", "metaData"}}
    return {**kept, "hash": record.get("hash") or body["hash"], "metaData": meta, "ledger_index": index}


async def _shown(server: LedgerServer, account: str, index: int) -> Json:
    """Return what the node shows of the account after a ledger; nothing where it is not there."""
    try:
        info = await ask(server, "account_info", Json, account=account, ledger_index=index)
    except Refused as refusal:
        if refusal.code == "actNotFound":
            return {}
        raise
    return {
        "account_data": info["account_data"],
        "offers": await _rows(server, "account_offers", "offers", account, index),
        "lines": await _rows(server, "account_lines", "lines", account, index),
        "objects": await _rows(server, "account_objects", "account_objects", account, index),
    }


async def _rows(server: LedgerServer, method: str, name: str, account: str, index: int) -> list[Json]:
    rows: list[Json] = []
    marker: Mapping[str, object] = {}
    while True:
        page = await ask(server, method, Json, account=account, ledger_index=index, limit=_PAGE, **marker)
        rows += page[name]
        if "marker" not in page:
            return rows
        marker = {"marker": page["marker"]}


def _orders(account: str, ledgers: tuple[RecordedLedger, ...]) -> Iterator[Json]:
    """Yield the account's orders as its engine would write them down: on the book at first, placed since."""
    for row in ledgers[0].after[_ROLE].get("offers", ()):
        yield {
            "owner": _ROLE,
            "account": account,
            "sequence": row["seq"],
            "placed_tx": None,
            "taker_gets": row["taker_gets"],
            "taker_pays": row["taker_pays"],
            "flags": row["flags"],
            "expiration": row.get("expiration"),
            "replaces": None,
            "cancel_tx": None,
            "truth": None,
        }
    sent = [raw for ledger in ledgers[1:] for raw in ledger.transactions if raw["Account"] == account]
    cancels = {raw["OfferSequence"]: raw["hash"] for raw in sent if raw["TransactionType"] == "OfferCancel"}
    for raw in sent:
        if raw["TransactionType"] == "OfferCreate":
            sequence = raw.get("TicketSequence") or raw["Sequence"]
            yield {
                "owner": _ROLE,
                "account": account,
                "sequence": sequence,
                "placed_tx": raw["hash"],
                "taker_gets": raw["TakerGets"],
                "taker_pays": raw["TakerPays"],
                "flags": raw.get("Flags", 0),
                "expiration": raw.get("Expiration"),
                "replaces": raw.get("OfferSequence"),
                "cancel_tx": cancels.get(sequence),
                "truth": None,
            }


def _lacking(session: Session) -> list[StateRequest]:
    """Return what a replay would ask of the ledgers that are recorded."""
    known = {ledger.ledger_index for ledger in session.ledgers}
    requests = [one for step in steps(session) for wanted in step.lacking.values() for one in wanted]
    asked = {ledger.ledger_index: [answer["entry"] for answer in ledger.state] for ledger in session.ledgers}
    return [one for one in requests if one.ledger_index in known and one.entry not in asked[one.ledger_index]]


async def _answer(server: LedgerServer, request: StateRequest) -> StateAnswer:
    fields = await ledger_entry(server, request.ledger_index, request.entry)
    return StateAnswer(request=request, fields=fields)


def _with_state(session: Session, answers: Iterable[StateAnswer]) -> Session:
    """Return the session with what was answered kept beside the ledgers that were asked about."""
    added: defaultdict[int, list[Json]] = defaultdict(list)
    for answer in answers:
        entry = {"entry": answer.request.entry, "node": answer.fields}
        added[answer.request.ledger_index].append(entry)
    ledgers = (
        msgspec.structs.replace(ledger, state=(*ledger.state, *added[ledger.ledger_index]))
        for ledger in session.ledgers
    )
    return msgspec.structs.replace(session, ledgers=tuple(ledgers))
