"""JSON of strangers, read strictly: every member once, whole numbers only, bounded in depth and size."""

import base64
import binascii
import json
import re
from typing import Any, NoReturn, TypeVar

import msgspec

from ledger_proof.errors import Unproven

DEEPEST = 64
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
_Type = TypeVar("_Type")


def read_json(what: str, document: bytes, kind: type[_Type], *, largest: int) -> _Type:
    """Read a document into a type; `largest`: its size in bytes.

    Raises:
        Unproven: if it is too large or too deep, repeats a member, or is not of the type.

    """
    return convert(what, parse(what, document, largest=largest), kind)


def parse(what: str, document: bytes, *, largest: int) -> object:
    """Read a document; raises as `read_json`."""
    if len(document) > largest:
        raise Unproven(what, expected=f"at most {largest:,} bytes", found=f"{len(document):,}")
    _check_depth(what, document)
    try:
        value: object = json.loads(
            document.decode("utf-8"),
            object_pairs_hook=_members,
            parse_constant=_refuse_number,
            parse_float=_refuse_number,
        )
    except (ValueError, RecursionError) as error:
        raise Unproven(what, expected="strict JSON", found=str(error)[:200]) from error
    return value


def convert(what: str, value: object, kind: type[_Type]) -> _Type:
    """Return parsed JSON as a type.

    Raises:
        Unproven: if it is not of the type.

    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Unproven(what, expected=kind.__name__, found=str(error)[:200]) from error


def from_hex(what: str, text: str, length: int | None = None) -> bytes:
    """Return the bytes of hexadecimal digits, of either case.

    Raises:
        Unproven: if they are none, or not of the length in bytes.

    """
    try:
        blob = binascii.unhexlify(text)
    except ValueError as error:
        raise Unproven(what, expected="hexadecimal digits", found=repr(text[:80])) from error
    if length is not None and len(blob) != length:
        raise Unproven(what, expected=f"{length} bytes", found=f"{len(blob)}")
    return blob


def from_base64(what: str, text: str) -> bytes:
    """Return the bytes of Base64, written in the one way that there is for them.

    Raises:
        Unproven: for anything else.

    """
    try:
        blob = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Unproven(what, expected="Base64", found=str(error)) from error
    if base64.b64encode(blob).decode() != text:
        raise Unproven(what, expected="Base64 as it is written", found="other characters for the same bytes")
    return blob


def _check_depth(what: str, document: bytes) -> None:
    if document.count(b"[") + document.count(b"{") <= DEEPEST:
        return
    depth = 0
    for mark in _MARKS.finditer(document):
        first = mark[0][:1]
        depth += (first in b"[{") - (first in b"]}")
        if depth > DEEPEST:
            raise Unproven(what, expected=f"JSON at most {DEEPEST} deep", found="deeper")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError(f"a repeated member among {sorted({name for name, _ in pairs})[:5]}")
    return members


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"the number {text[:40]}, which is not whole")
