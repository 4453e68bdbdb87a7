"""The answer as a person sees it: words, the table of transactions, the evidence, what is not proven."""

import time
from collections.abc import Callable
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from console.explain.answer import Explanation, Step
from console.explain.words import amount, sentences
from console.tables import COLOURS, SHORT_HASH, printable
from order_events import OrderStatus, RemovalReason

_WIDE = 150
"""Columns of a terminal that shows whole addresses."""
_ADDRESS_ENDS = 6, 4
_SILENCE_SECONDS = 2.0
_SHOWN_FIELDS = (
    "Account", "Sequence", "TakerGets", "TakerPays", "Expiration", "DomainID", "Balance", "OwnerCount",
    "LowLimit", "HighLimit", "Flags", "PreviousTxnID",
)  # fmt: skip
"""Fields of an evidence node that a rule may go by; `--json` has all."""


class Progress:
    """Says on the console how far the reading is, not more often than every two seconds."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._console = console
        self._clock = clock
        self._said = clock()

    def __call__(self, transactions: int, ledger_index: int) -> None:
        """Take how many transactions are read, and the oldest ledger reached."""
        if self._clock() - self._said >= _SILENCE_SECONDS:
            self._said = self._clock()
            self._console.print(f"{transactions} transactions read, back to ledger {ledger_index} ...")


Write = Callable[[str], str]
"""How to write an address."""


class _Column(msgspec.Struct, frozen=True):
    heading: str
    cell: Callable[[Step, Explanation, Write], str]
    justify: JustifyMethod = "left"
    detail: bool = False
    """Left out where the terminal is narrow."""
    min_width: int | None = None


def show(console: Console, told: Explanation) -> None:
    """Print the answer."""
    console.print(
        Text.assemble(
            (told.removal_reason or told.status, f"bold {COLOURS.get(told.status, '')}"),
            f"  order {told.sequence} of {told.account}",
        )
    )
    for sentence in sentences(told):
        console.print(_clean(sentence))
    console.print(_table(told, console.width))
    _show_evidence(console, told)
    if told.unproven:
        console.print(Text("What could not be proven", style="bold yellow"))
        for doubt in told.unproven:
            console.print(_clean(f"  - {doubt}"))
    console.print(_clean(f"Read from {told.node} up to validated ledger {told.ledger_index}."))


def _table(told: Explanation, width: int) -> Table:
    table = Table(title="Transactions", title_justify="left", box=SIMPLE_HEAD, collapse_padding=True)
    wide = width >= _WIDE
    columns = [column for column in _COLUMNS if wide or not column.detail]
    for column in columns:
        table.add_column(column.heading, justify=column.justify, min_width=column.min_width, overflow="fold")
    write = str if wide else _short
    for step in told.transactions:
        table.add_row(*(_clean(column.cell(step, told, write)) for column in columns))
    return table


def _show_evidence(console: Console, told: Explanation) -> None:
    if told.evidence is None:
        return
    console.print(Text("Evidence", style="bold"))
    console.print(_clean(f"  rule {told.rule}: {told.evidence}"))
    for node in told.evidence_nodes:
        console.print(
            _clean(f"  {node.kind} {node.entry_type} {node.index} of transaction {node.transaction}")
        )
        shown = {name: node.fields[name] for name in _SHOWN_FIELDS if name in node.fields}
        for name, fields in (("fields", shown), ("PreviousFields", node.previous_fields)):
            if fields:
                console.print(_clean(f"    {name}: {_written(fields)}"))
    for state in told.evidence_state:
        entry = msgspec.json.encode(state.entry).decode()
        found = "no such entry" if state.fields is None else _written(state.fields)
        console.print(_clean(f"  ledger {state.ledger_index}, {state.why}: {entry}: {found}"))


def _written(fields: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in fields.items())


def _value(value: object) -> str:
    match value:
        case {"value": str(number), "currency": str(currency), "issuer": str(issuer)}:
            return f"{number} {currency}.{issuer}"
        case str() | int():
            return str(value)
    return msgspec.json.encode(value).decode()


def _what(step: Step, *_: object) -> str:
    if step.effect == "none":
        return "no effect" if step.result == "tesSUCCESS" else f"failed: {step.result}"
    if step.effect == "ended":
        return str(step.removal_reason or step.status or "").lower().replace("_", " ")
    if step.effect == "traded":
        return "traded"
    if step.status is OrderStatus.REJECTED:
        return f"rejected: {step.result}"
    ends = {
        OrderStatus.FILLED: "filled at once",
        OrderStatus.CANCELED: "traded, rest dropped",
        OrderStatus.REMOVED: "traded, rest removed",
        OrderStatus.PARTIALLY_FILLED: "placed, part traded",
    }
    return ends.get(step.status or OrderStatus.ACCEPTED, "placed")


def _parties(step: Step, _: Explanation, write: Write) -> str:
    return "\n".join(
        write(party.account) + ("" if party.role == "taker" else f" {party.role}")
        for party in step.counterparties
    )


def _short(address: str) -> str:
    first, last = _ADDRESS_ENDS
    return f"{address[:first]}..{address[-last:]}"


def _left(step: Step, told: Explanation, _: Write) -> str:
    if step.left_gives is None or step.removal_reason is RemovalReason.FILLED:
        return ""
    return amount(told.gives, step.left_gives)


def _moved(value: str, quantity_text: str) -> str:
    return "" if value == "0" else quantity_text


_COLUMNS = (
    _Column("time (UTC)", lambda step, *_: f"{step.time:%Y-%m-%d %H:%M:%S}", min_width=10),
    _Column("ledger", lambda step, *_: str(step.ledger_index), "right"),
    _Column("index", lambda step, *_: str(step.transaction_index), "right", detail=True),
    _Column("hash", lambda step, *_: step.hash[:SHORT_HASH], min_width=SHORT_HASH),
    _Column("type", lambda step, *_: step.type),
    _Column("by", lambda step, _, write: write(step.by), detail=True),
    _Column("what", _what),
    _Column("counterparties", _parties, min_width=12),
    _Column("gave", lambda step, told, _: _moved(step.gave, amount(told.gives, step.gave)), "right"),
    _Column("got", lambda step, told, _: _moved(step.got, amount(told.asks, step.got)), "right"),
    _Column("left", _left, "right"),
)


def _clean(text: str) -> Text:
    """Show a foreign text as it is: no markup, and nothing that a terminal would obey."""
    return Text("\n".join(printable(line) for line in text.split("\n")))
