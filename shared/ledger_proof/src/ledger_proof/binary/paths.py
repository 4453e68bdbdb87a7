"""The paths of a payment: which accounts, currencies and issuers it may go through."""

from ledger_proof.base58 import account_address
from ledger_proof.binary.amounts import currency
from ledger_proof.errors import MalformedBlob

Path = list[dict[str, str]]

_END, _NEXT_PATH = 0x00, 0xFF
_ACCOUNT, _CURRENCY, _ISSUER, _MPT = 0x01, 0x10, 0x20, 0x40
"""Bits of a step's first byte: which parts follow it, in the order below."""


def path_set(blob: bytes, at: int) -> tuple[list[Path], int]:
    """Read a PathSet; JSON also shows each step's `type`, which is not in the bytes.

    Raises:
        MalformedBlob: for a step of an unknown part.
        IndexError: if the blob ends first.

    """
    paths: list[Path] = [[]]
    while (kind := blob[at]) != _END:
        at += 1
        if kind == _NEXT_PATH:
            paths.append([])
            continue
        if kind & ~(_ACCOUNT | _CURRENCY | _ISSUER | _MPT):
            raise MalformedBlob("PathSet", expected="steps of known parts", found=f"0x{kind:02X}")
        step = {}
        if kind & _ACCOUNT:
            step["account"], at = account_address(blob[at : at + 20]), at + 20
        if kind & _CURRENCY:
            step["currency"], at = currency(blob[at : at + 20]), at + 20
        if kind & _MPT:
            step["mpt_issuance_id"], at = blob[at : at + 24].hex().upper(), at + 24
        if kind & _ISSUER:
            step["issuer"], at = account_address(blob[at : at + 20]), at + 20
        paths[-1].append(step)
    return paths, at + 1
