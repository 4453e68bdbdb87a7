"""Values that are larger than a message of the bus, in parts.

A value is split into parts under keys beside its own: that of `order.7` under `order.part.0.7`,
`order.part.1.7`, and so on. The key itself then says how many there are. All are written in one atomic batch.
"""

from collections.abc import Mapping

LARGEST = 500_000
"""Bytes of a part: a message holds 1 MB with the server's default settings."""
_MARK = b"\x00parts "
"""No value begins with it: values are JSON or MessagePack maps."""
_PART = "part."

Changes = dict[str, bytes | None]
"""Values by key; None: deleted."""


class LargeValues:
    """Splits and joins the values of one account, and knows which are in parts."""

    def __init__(self) -> None:
        self._parts: dict[str, int] = {}
        """By key, the number of its parts as they are stored."""

    def split(self, changes: Mapping[str, bytes | None]) -> Changes:
        """Return the changes as they are written: parts that are needed no longer are deleted."""
        written: Changes = {}
        for key, value in changes.items():
            before = self._parts.pop(key, 0)
            parts = _split(value)
            written |= {_part_key(key, number): part for number, part in enumerate(parts)}
            written |= dict.fromkeys(_part_key(key, number) for number in range(len(parts), before))
            written[key] = _MARK + str(len(parts)).encode() if parts else value
            if parts:
                self._parts[key] = len(parts)
        return written

    def join(self, stored: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the values as they were given, and remember which are in parts."""
        self._parts = {
            key: int(value.removeprefix(_MARK)) for key, value in stored.items() if value.startswith(_MARK)
        }
        joined = {key: value for key, value in stored.items() if not _is_part(key)}
        for key, count in self._parts.items():
            joined[key] = b"".join(stored.get(_part_key(key, number), b"") for number in range(count))
        return joined


def _split(value: bytes | None) -> list[bytes]:
    """Return a value's parts; none: it is small enough."""
    if value is None or len(value) <= LARGEST:
        return []
    return [value[first : first + LARGEST] for first in range(0, len(value), LARGEST)]


def _part_key(key: str, number: int) -> str:
    head, dot, name = key.rpartition(".")
    return f"{head}{dot}{_PART}{number}.{name}"


def _is_part(key: str) -> bool:
    return key.startswith(_PART) or f".{_PART}" in key
