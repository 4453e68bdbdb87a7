"""A layout: which columns of a file are taken for what. Formats that are known are layouts themselves.

A mapping file that a user writes is a layout too, in TOML; `docs/compare.md` describes it.
"""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from console.compare.errors import BadMapping

ORDER_FIELDS = (
    "id", "account", "sequence", "tx_hash", "pair", "base", "quote", "side", "quantity", "price", "status",
    "time", "traded_quantity", "traded_price", "traded_quote",
)  # fmt: skip
FILL_FIELDS = (
    "order", "account", "sequence", "tx_hash", "trade_id", "pair", "base", "quote", "side", "quantity",
    "price", "quote_quantity", "time",
)  # fmt: skip
STATUS_WORDS = {
    "open": "open", "active": "open", "new": "open", "live": "open", "working": "open", "pending": "open",
    "accepted": "open", "submitted": "open", "initialized": "open", "placed": "open", "resting": "open",
    "triggered": "open", "pending_update": "open", "pending_cancel": "open", "released": "open",
    "partially_filled": "open", "partial": "open", "partial_filled": "open",
    "filled": "filled", "closed": "filled", "completed": "filled", "executed": "filled", "done": "filled",
    "canceled": "canceled", "cancelled": "canceled", "replaced": "canceled",
    "expired": "expired",
    "removed": "removed", "unfunded": "removed", "killed": "removed", "self_crossed": "removed",
    "rejected": "rejected", "denied": "rejected", "failed": "rejected", "error": "rejected",
}  # fmt: skip
"""Words of a status that need no mapping."""


class TableLayout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of rows: where they stand and what their columns are taken for."""

    table: str | None = None
    """Of SQLite."""
    query: str | None = None
    """Of SQLite, instead of `table`: any SELECT."""
    where: Mapping[str, str] = {}
    """Of a CSV: only rows in which these columns hold these words."""
    fields: Mapping[str, str]
    """What is wanted -> the column that holds it; a `?` at its end: the column may be missing."""
    patterns: Mapping[str, str] = {}
    """Column -> a regular expression; its named groups are fields too."""
    scales: Mapping[str, Decimal] = {}
    """Column -> what one is worth, where it holds whole numbers (`0.000001` for drops)."""

    def required(self) -> set[str]:
        """Return the columns that must be there."""
        return {
            *(name for name in self.fields.values() if not name.endswith("?")),
            *self.patterns,
            *self.where,
        }


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one format is read."""

    name: str
    kind: Literal["sqlite", "csv"]
    orders: TableLayout | None = None
    fills: TableLayout | None = None
    statuses: Mapping[str, str] = {}
    time_zone: str | None = None
    """Of times without a zone; None: `--tz` has to say."""
    account: str | None = None
    pair: str | None = None
    tables: Mapping[str, tuple[str, ...]] = {}
    """Of SQLite: tables and columns by which the format is recognised."""
    keeps_rejected: bool = True
    cannot_tell: tuple[str, ...] = ()


def known_formats() -> list[Layout]:
    """Return the layouts that come with the command."""
    folder = resources.files("console.compare.books") / "formats"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return [parse_layout(file.read_text("utf-8"), file.name) for file in files if file.name.endswith(".toml")]


def read_mapping(path: Path) -> Layout:
    """Read a mapping file.

    Raises:
        BadMapping: it can't be read or is no mapping.

    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadMapping(f"{path}: expected a mapping file in TOML, found: {error}") from error
    return parse_layout(text, str(path))


def parse_layout(text: str, name: str) -> Layout:
    """Read a layout from TOML.

    Raises:
        BadMapping: naming the field that is wrong.

    """
    try:
        layout = msgspec.convert(tomllib.loads(text), Layout, strict=False)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadMapping(
            f"{name}: expected a mapping as docs/compare.md describes it, found: {error}"
        ) from error
    if layout.orders is None and layout.fills is None:
        raise BadMapping(f"{name}: expected a table [orders] or [fills], found neither")
    for kind, table, allowed in (
        ("orders", layout.orders, ORDER_FIELDS),
        ("fills", layout.fills, FILL_FIELDS),
    ):
        if table is not None:
            _check(f"{name}: [{kind}]", table, allowed)
    return layout


def _check(where: str, table: TableLayout, allowed: tuple[str, ...]) -> None:
    names = set(table.fields)
    for column, pattern in table.patterns.items():
        try:
            names |= set(re.compile(pattern).groupindex)
        except re.error as error:
            raise BadMapping(
                f"{where}: pattern of {column}: expected a regular expression: {error}"
            ) from error
    if unknown := sorted(names - set(allowed)):
        raise BadMapping(f"{where}: expected fields of {', '.join(allowed)}; found {', '.join(unknown)}")


def write_layout(layout: Layout) -> str:
    """Write a layout as TOML, to be saved, corrected and given back."""
    lines = [f"name = {_toml(layout.name)}", f"kind = {_toml(layout.kind)}"]
    for key in ("time_zone", "account", "pair"):
        lines += [f"{key} = {_toml(value)}"] if (value := getattr(layout, key)) is not None else []
    for kind, table in (("orders", layout.orders), ("fills", layout.fills)):
        if table is not None:
            lines += ["", f"[{kind}]", *_table_lines(kind, table)]
    if layout.statuses:
        lines += ["", "[statuses]", *_pairs(layout.statuses)]
    return "\n".join(lines) + "\n"


def _table_lines(kind: str, table: TableLayout) -> list[str]:
    lines = [
        f"{key} = {_toml(value)}" for key in ("table", "query") if (value := getattr(table, key)) is not None
    ]
    for key in ("where", "fields", "patterns", "scales"):
        if values := getattr(table, key):
            lines += ["", f"[{kind}.{key}]", *_pairs(values)]
    return lines


def _pairs(values: Mapping[str, object]) -> list[str]:
    return [f"{_toml(key)} = {_toml(str(value))}" for key, value in values.items()]


def _toml(text: str) -> str:
    """Write a TOML string; JSON's escapes are TOML's too."""
    return msgspec.json.encode(text).decode()
