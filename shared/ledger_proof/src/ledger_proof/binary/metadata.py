"""A transaction's metadata out of its bytes, entry by entry.

Entries that hold orders and balances are read at once where they are as usual (see `entries`).
Directories, of which there are most and which hold neither, are passed over by one regular expression
and left out. Everything else is walked field by field.
"""

import re
from typing import Any

import msgspec

from ledger_proof.binary.entries import ENTRY_READERS, KINDS
from ledger_proof.binary.objects import ARRAY_END, SHORT, decode_object, read_fields
from ledger_proof.errors import MalformedBlob

_AFFECTED_NODES = 0xF8
_DIRECTORY = 0x64


def decode_metadata(blob: bytes) -> dict[str, Any]:
    """Return what a server's JSON shows of metadata, without the directories (DirectoryNode).

    Some of the AffectedNodes are JSON already (`msgspec.Raw`).

    Raises:
        MalformedBlob: if it is no metadata.

    """
    return decode_object(blob, _METADATA)


def _affected_nodes(blob: bytes, at: int, depth: int) -> tuple[list[Any], int]:
    nodes: list[Any] = []
    while (kind := blob[at]) != ARRAY_END:
        if kind not in KINDS:
            expected = "a created, modified or deleted entry"
            raise MalformedBlob("AffectedNodes", expected=expected, found=f"0x{kind:02X}")
        # Behind the entry's header and that of its type, whose first byte is 0 for all that are known
        code = blob[at + 3]
        read = ENTRY_READERS.get(code)
        entry = read(blob, at) if read else None
        directories = _DIRECTORIES(blob, at) if code == _DIRECTORY else None
        if entry is not None:
            text, at = entry
            nodes.append(msgspec.Raw(text.encode()))
        elif directories is not None:
            at = directories.end()
        else:
            fields, at = read_fields(blob, at + 1, depth + 2, SHORT)
            if fields.get("LedgerEntryType") != "DirectoryNode":
                nodes.append({KINDS[kind]: fields})
    return nodes, at + 1


# UInt32 UInt64 Hash256 AccountID Hash160 Hash192, as directories have them, with headers of either length
_FIELDS = (
    rb"(?:[\x21-\x2f].{4}|[\x31-\x3f].{8}|[\x51-\x5f].{32}|[\x81-\x8f]\x14.{20}|[\x01-\x0f]\x11.{20}"
    rb"|[\x01-\x0f]\x15.{24}|\x20[\x10-\xff].{4}|\x30[\x10-\xff].{8}|\x50[\x10-\xff].{32})*+"
)
_DIRECTORIES = re.compile(
    rb"(?:[\xe3-\xe5]\x11\x00d(?:\x25.{4})?+(?:\x55.{32})?+\x56.{32}"
    rb"(?:\xe6%b\xe1)?+(?:[\xe7\xe8]%b\xe1)?+\xe1)++" % (_FIELDS, _FIELDS),
    re.DOTALL,
).match
_METADATA = (*SHORT[:_AFFECTED_NODES], ("AffectedNodes", _affected_nodes), *SHORT[_AFFECTED_NODES + 1 :])
