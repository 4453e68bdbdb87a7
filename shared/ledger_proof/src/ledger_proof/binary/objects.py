"""The ledger's binary format, read field by field by a table into what a server's JSON shows.

Every transaction, metadata, validation and manifest is an object of this format: fields, each behind
its type and number. A field whose type is known and whose name is not is read all the same, under its
numbers; a field of an unknown type has no known length, so that the whole is refused. Times stay
seconds of the ledger's clock, drops and UInt64 values stand in text as JSON has them.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ledger_proof.base58 import account_address
from ledger_proof.binary import amounts, names
from ledger_proof.binary.paths import path_set
from ledger_proof.errors import MalformedBlob

Reader = Callable[[bytes, int, int], tuple[Any, int]]
"""Of a value: takes the blob, where the value begins and how deep it lies; returns it and where it ends."""
Field = tuple[str, Reader]
Table = Sequence[Field | None]
"""Fields by the header of one byte."""

OBJECT_END, ARRAY_END = 0xE1, 0xF1
DEEPEST = 16
"""Objects and arrays inside each other; the ledger itself allows ten."""
_ONE_BYTE = 192
_TWO_BYTES = 240
_THREE_BYTES = 254
"""The largest first bytes of lengths of one, two and three bytes."""
_DECIMAL = frozenset(
    {"ConfidentialOutstandingAmount", "LockedAmount", "MPTAmount", "MaximumAmount", "OutstandingAmount"}
)
"""UInt64 fields that JSON shows in decimal; the others are hexadecimal."""


def decode_object(blob: bytes, table: "Table | None" = None) -> dict[str, Any]:
    """Return the fields of a whole object of the binary format, as a server's JSON shows them.

    `table`: the readers of its own fields, where they are not the usual ones.

    Raises:
        MalformedBlob: if it is none, or holds a field of an unknown type, or one twice.

    """
    try:
        fields, at = read_fields(blob, 0, 0, table or SHORT)
    except IndexError:
        cut = f"{len(blob)} bytes, cut short"
        raise MalformedBlob("blob", expected="a whole object", found=cut) from None
    if at != len(blob):
        raise MalformedBlob("blob", expected=f"an end at byte {len(blob)}", found=f"one at byte {at}")
    return fields


def read_fields(blob: bytes, at: int, depth: int, table: "Table") -> tuple[dict[str, Any], int]:
    """Read the fields of an object: at depth 0 up to the blob's end, deeper up to the mark of its end.

    Raises:
        MalformedBlob: as `decode_object`.
        IndexError: if the blob ends first.

    """
    if depth > DEEPEST:
        raise MalformedBlob("blob", expected=f"at most {DEEPEST} objects in each other", found="more")
    fields: dict[str, Any] = {}
    size = len(blob) if not depth else -1
    while at != size:
        head = blob[at]
        if head == OBJECT_END and depth:
            return fields, at + 1
        field = table[head]
        if field is None:
            _, field, at = field_at(blob, at)
        else:
            at += 1
        name, read = field
        if name in fields:
            raise MalformedBlob(name, expected="a field once in its object", found="it twice")
        fields[name], at = read(blob, at, depth)
        if at > size >= 0:
            raise IndexError
    return fields, at


def field_at(blob: bytes, at: int) -> tuple[tuple[int, int], Field, int]:
    """Return the type and number of the field that begins here, the field, and where its value begins.

    Raises:
        MalformedBlob: if the type is not known.
        IndexError: if the blob ends first.

    """
    kind, nth = blob[at] >> 4, blob[at] & 15
    at += 1
    if not kind:
        kind = blob[at]
        at += 1
    if not nth:
        nth = blob[at]
        at += 1
    key = kind, nth
    field = _FIELDS.get(key) or _field(kind, nth)
    if field is None:
        raise MalformedBlob("blob", expected="fields of known types", found=f"type {kind}, field {nth}")
    _FIELDS[key] = field  # a few thousand at most: 27 types of 256 fields
    return key, field, at


def read_length(blob: bytes, at: int) -> tuple[int, int]:
    """Read the length before a blob: one, two or three bytes; return it and where the content begins."""
    first = blob[at]
    if first <= _ONE_BYTE:
        return first, at + 1
    if first <= _TWO_BYTES:
        return 193 + (first - 193 << 8) + blob[at + 1], at + 2
    if first <= _THREE_BYTES:
        return 12_481 + (first - 241 << 16) + (blob[at + 1] << 8) + blob[at + 2], at + 3
    raise MalformedBlob("length", expected="a first byte up to 254", found="255")


def _whole(blob: bytes, at: int, end: int) -> bytes:
    part = blob[at:end]
    if len(part) != end - at:
        raise IndexError
    return part


def _unsigned(size: int) -> Reader:
    def read(blob: bytes, at: int, _: int) -> tuple[int, int]:
        return int.from_bytes(blob[at : at + size], "big"), at + size

    return read


def _signed(size: int) -> Reader:
    def read(blob: bytes, at: int, _: int) -> tuple[int, int]:
        return int.from_bytes(blob[at : at + size], "big", signed=True), at + size

    return read


def _digits(size: int) -> Reader:
    def read(blob: bytes, at: int, _: int) -> tuple[str, int]:
        return blob[at : at + size].hex().upper(), at + size

    return read


def _uint64(blob: bytes, at: int, _: int) -> tuple[str, int]:
    return f"{int.from_bytes(blob[at : at + 8], 'big'):X}", at + 8


def _decimal(blob: bytes, at: int, _: int) -> tuple[str, int]:
    return str(int.from_bytes(blob[at : at + 8], "big")), at + 8


def _named(name: Callable[[int], str], size: int) -> Reader:
    def read(blob: bytes, at: int, _: int) -> tuple[str, int]:
        return name(int.from_bytes(_whole(blob, at, at + size), "big")), at + size

    return read


def _amount(blob: bytes, at: int, _: int) -> tuple[Any, int]:
    end = at + amounts.amount_bytes(blob[at])
    return amounts.amount(_whole(blob, at, end)), end


def _blob(blob: bytes, at: int, _: int) -> tuple[str, int]:
    length, at = read_length(blob, at)
    return blob[at : at + length].hex().upper(), at + length


def _account(blob: bytes, at: int, _: int) -> tuple[str, int]:
    length = blob[at]
    if length not in {0, 20}:
        raise MalformedBlob("AccountID", expected="20 bytes or none", found=f"{length}")
    return account_address(_whole(blob, at + 1, at + 1 + length)), at + 1 + length


def _hashes(blob: bytes, at: int, _: int) -> tuple[list[str], int]:
    length, at = read_length(blob, at)
    if length % 32:
        raise MalformedBlob("Vector256", expected="hashes of 32 bytes", found=f"{length} bytes")
    end = at + length
    whole = _whole(blob, at, end)
    return [whole[start : start + 32].hex().upper() for start in range(0, length, 32)], end


def _object(blob: bytes, at: int, depth: int) -> tuple[dict[str, Any], int]:
    return read_fields(blob, at, depth + 1, SHORT)


def _array(blob: bytes, at: int, depth: int) -> tuple[list[dict[str, Any]], int]:
    items: list[dict[str, Any]] = []
    while blob[at] != ARRAY_END:
        if blob[at] >> 4 != names.OBJECT or blob[at] == OBJECT_END:
            raise MalformedBlob("array", expected="objects", found=f"0x{blob[at]:02X}")
        field = SHORT[blob[at]]
        name, at = (field[0], at + 1) if field else (names.field_name(names.OBJECT, blob[at + 1]), at + 2)
        fields, at = read_fields(blob, at, depth + 2, SHORT)
        items.append({name: fields})
    return items, at + 1


def _number(blob: bytes, at: int, _: int) -> tuple[str, int]:
    return amounts.number(_whole(blob, at, at + 12)), at + 12


def _issue(blob: bytes, at: int, _: int) -> tuple[dict[str, str], int]:
    return amounts.issue(blob, at)


def _currency(blob: bytes, at: int, _: int) -> tuple[str, int]:
    return amounts.currency(_whole(blob, at, at + 20)), at + 20


def _paths(blob: bytes, at: int, _: int) -> tuple[Any, int]:
    return path_set(blob, at)


def _bridge(blob: bytes, at: int, depth: int) -> tuple[dict[str, Any], int]:
    bridge: dict[str, Any] = {}
    for side in ("LockingChain", "IssuingChain"):
        bridge[f"{side}Door"], at = _account(blob, at, depth)
        bridge[f"{side}Issue"], at = amounts.issue(blob, at)
    return bridge, at


_BY_TYPE: dict[int, Reader] = {
    names.UINT16: _unsigned(2),
    names.UINT32: _unsigned(4),
    names.UINT64: _uint64,
    names.HASH128: _digits(16),
    names.HASH256: _digits(32),
    names.AMOUNT: _amount,
    names.BLOB: _blob,
    names.ACCOUNT_ID: _account,
    names.NUMBER: _number,
    names.INT32: _signed(4),
    names.INT64: _signed(8),
    names.OBJECT: _object,
    names.ARRAY: _array,
    names.UINT8: _unsigned(1),
    names.HASH160: _digits(20),
    names.PATH_SET: _paths,
    names.VECTOR256: _hashes,
    names.UINT96: _digits(12),
    names.HASH192: _digits(24),
    names.HASH384: _digits(48),
    names.HASH512: _digits(64),
    names.ISSUE: _issue,
    names.BRIDGE: _bridge,
    names.CURRENCY: _currency,
}
_BY_NAME: dict[str, Reader] = {
    "LedgerEntryType": _named(names.entry_type, 2),
    "TransactionType": _named(names.transaction_type, 2),
    "TransactionResult": _named(names.result, 1),
    **dict.fromkeys(_DECIMAL, _decimal),
}


def _field(kind: int, nth: int) -> Field | None:
    read = _BY_TYPE.get(kind)
    name = names.field_name(kind, nth)
    return None if read is None else (name, _BY_NAME.get(name, read))


_MARKS = {OBJECT_END, ARRAY_END}
SHORT: Table = tuple(
    _field(head >> 4, head & 15) if head >> 4 and head & 15 and head not in _MARKS else None
    for head in range(256)
)
"""The usual readers."""
_FIELDS: dict[tuple[int, int], Field] = {}
"""By type and number, as they were met."""
