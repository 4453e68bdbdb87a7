"""Objects that somebody signed: their fields, and the bytes that a signature of them covers."""

from collections.abc import Container
from typing import Any

import msgspec

from ledger_proof.binary.objects import field_at
from ledger_proof.errors import MalformedBlob

LONGEST = 4_096
"""Bytes of a manifest or a validation; real ones have some hundreds."""


class SignedObject(msgspec.Struct, frozen=True):
    """The fields of a signed object by name, as JSON shows them, and where they stand."""

    blob: bytes
    fields: dict[str, Any]
    spans: dict[str, tuple[int, int]]

    def covered(self, prefix: bytes, signatures: Container[str]) -> bytes:
        """Return what a signature covers: the prefix of its kind, and all fields but the signatures."""
        parts = (self.blob[start:end] for name, (start, end) in self.spans.items() if name not in signatures)
        return prefix + b"".join(parts)

    def blob_field(self, what: str, name: str) -> bytes:
        """Return a field's bytes.

        Raises:
            MalformedBlob: if it is missing or of another kind.

        """
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise MalformedBlob(what, expected=f"a {name}", found="none")
        return bytes.fromhex(value)

    def number(self, what: str, name: str) -> int:
        """Return a field's number; raises as `blob_field`."""
        value = self.fields.get(name)
        if not isinstance(value, int):
            raise MalformedBlob(what, expected=f"a {name}", found="none")
        return value


def read_signed(what: str, blob: bytes) -> SignedObject:
    """Read a signed object, whose fields must stand in the order of their types and numbers.

    Raises:
        MalformedBlob: if it is none.

    """
    if len(blob) > LONGEST:
        raise MalformedBlob(what, expected=f"at most {LONGEST:,} bytes", found=f"{len(blob):,}")
    fields: dict[str, Any] = {}
    spans: dict[str, tuple[int, int]] = {}
    at, last = 0, (0, 0)
    try:
        while at < len(blob):
            start = at
            key, (name, read), at = field_at(blob, at)
            if key <= last:
                raise MalformedBlob(what, expected="fields in order, each once", found=f"{name} out of order")
            last = key
            fields[name], at = read(blob, at, 0)
            spans[name] = start, at
    except IndexError:
        raise MalformedBlob(what, expected="a whole object", found=f"{len(blob)} bytes, cut short") from None
    if at != len(blob):
        raise MalformedBlob(what, expected=f"an end at byte {len(blob)}", found=f"one at byte {at}")
    return SignedObject(blob, fields, spans)
