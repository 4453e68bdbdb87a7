"""Rows of a book as they were read, kept small: a book may have very many, and few of them are ever shown."""

import zlib
from collections.abc import Mapping, Sequence

_BLOCK = 64
"""Rows that are compressed together."""
_BETWEEN_VALUES, _BETWEEN_ROWS = "\x1f", "\x1e"
"""ASCII's separators: no book's text holds them."""
_FAST = 1
"""The level of zlib: seconds count, and the rows of a table are alike."""


class RowArchive:
    """All rows of one table."""

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        """`table`: how a message calls a row of it, as `line` or `TradeFill row`."""
        self.table = table
        self._columns = columns
        self._blocks: list[bytes] = []
        self._open: list[str] = []

    def add(self, values: Sequence[object]) -> int:
        """Keep a row and return its place in the archive."""
        if len(self._open) == _BLOCK:
            self._blocks.append(zlib.compress(_BETWEEN_ROWS.join(self._open).encode(), _FAST))
            self._open = []
        self._open.append(_BETWEEN_VALUES.join("" if value is None else str(value) for value in values))
        return len(self._blocks) * _BLOCK + len(self._open) - 1

    def shown(self, place: int) -> Mapping[str, str]:
        """Return a row's values as text, by column; empty ones are left out."""
        block, within = divmod(place, _BLOCK)
        rows = self._open
        if block < len(self._blocks):
            rows = zlib.decompress(self._blocks[block]).decode().split(_BETWEEN_ROWS)
        pairs = zip(self._columns, rows[within].split(_BETWEEN_VALUES), strict=True)
        return {name: value for name, value in pairs if value}
