"""The answer as a person sees it: words, the table of transactions, the evidence, what is not proven."""

import time
from collections.abc import Callable
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from console.explain.answer import Explanation, Step
from console.explain.words import amount, sentences
from console.fitted_tables import Column, print_table
from console.fitting import Piece, fitted, print_sentence, width_of
from console.tables import COLOURS, SHORT_HASH, printable
from order_events import OrderStatus, RemovalReason

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


class _StepColumn(msgspec.Struct, frozen=True):
    column: Column
    cell: Callable[[Step, Explanation], str]


def show(console: Console, told: Explanation) -> None:
    """Print the answer."""
    verdict = Piece(told.removal_reason or told.status, style=f"bold {COLOURS.get(told.status, '')}")
    order = Piece(f"order {told.sequence} of {told.account}")
    console.print(fitted([verdict, order], width_of(console)), soft_wrap=True)
    for sentence in sentences(told):
        print_sentence(console, printable(sentence))
    rows = [[_clean(one.cell(step, told)) for one in _COLUMNS] for step in told.transactions]
    print_table(console, "Transactions", [one.column for one in _COLUMNS], rows)
    _show_evidence(console, told)
    if told.unproven:
        console.print(Text("What could not be proven", style="bold yellow"))
        for doubt in told.unproven:
            print_sentence(console, printable(f"  - {doubt}"))
    print_sentence(console, printable(f"Read from {told.node} up to validated ledger {told.ledger_index}."))


def _show_evidence(console: Console, told: Explanation) -> None:
    if told.evidence is None:
        return
    console.print(Text("Evidence", style="bold"))
    print_sentence(console, printable(f"  rule {told.rule}: {told.evidence}"))
    for node in told.evidence_nodes:
        where = f"  {node.kind} {node.entry_type} {node.index} of transaction {node.transaction}"
        print_sentence(console, printable(where))
        shown = {name: node.fields[name] for name in _SHOWN_FIELDS if name in node.fields}
        for name, fields in (("fields", shown), ("PreviousFields", node.previous_fields)):
            if fields:
                print_sentence(console, printable(f"    {name}: {_written(fields)}"))
    for state in told.evidence_state:
        entry = msgspec.json.encode(state.entry).decode()
        found = "no such entry" if state.fields is None else _written(state.fields)
        print_sentence(console, printable(f"  ledger {state.ledger_index}, {state.why}: {entry}: {found}"))


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


def _parties(step: Step, _: Explanation) -> str:
    return "\n".join(
        party.account + ("" if party.role == "taker" else f" {party.role}") for party in step.counterparties
    )


def _left(step: Step, told: Explanation) -> str:
    if step.left_gives is None or step.removal_reason is RemovalReason.FILLED:
        return ""
    return amount(told.gives, step.left_gives)


def _moved(value: str, quantity_text: str) -> str:
    return "" if value == "0" else quantity_text


_COLUMNS = (
    _StepColumn(Column("time (UTC)", drop=3), lambda step, _: f"{step.time:%Y-%m-%d %H:%M:%S}"),
    _StepColumn(Column("ledger", "right"), lambda step, _: str(step.ledger_index)),
    _StepColumn(Column("index", "right", drop=8), lambda step, _: str(step.transaction_index)),
    _StepColumn(Column("hash"), lambda step, _: step.hash[:SHORT_HASH]),
    _StepColumn(Column("type", drop=4), lambda step, _: step.type),
    _StepColumn(Column("by", drop=7), lambda step, _: step.by),
    _StepColumn(Column("what", wraps=True), _what),
    _StepColumn(Column("counterparties", drop=6), _parties),
    _StepColumn(Column("gave", "right"), lambda step, told: _moved(step.gave, amount(told.gives, step.gave))),
    _StepColumn(Column("got", "right"), lambda step, told: _moved(step.got, amount(told.asks, step.got))),
    _StepColumn(Column("left", "right", drop=5), _left),
)


def _clean(text: str) -> Text:
    """Show a foreign text as it is: no markup, and nothing that a terminal would obey."""
    return Text("\n".join(printable(line) for line in text.split("\n")))
