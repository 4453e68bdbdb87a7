"""Base58 with a checksum, as the ledger writes accounts and node keys."""

import hashlib
from functools import lru_cache

from ledger_proof.errors import Unproven

_ALPHABET = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_ACCOUNT, _NODE_KEY = b"\x00", b"\x1c"
_CHECKSUM_BYTES = 4
_ACCOUNT_BYTES, _KEY_BYTES = 20, 33
_LONGEST = 60
"""Characters; a node key has 52 or 53."""


@lru_cache(maxsize=65_536)
def account_address(account: bytes) -> str:
    """Return the address of an account's 20 bytes; no bytes are no account, and give an empty text."""
    return _encode(_ACCOUNT + account) if account else ""


@lru_cache(maxsize=65_536)
def account_bytes(address: str) -> bytes:
    """Return the 20 bytes of an account's address.

    Raises:
        Unproven: if it is no address.

    """
    return checked_content("address", address, _ACCOUNT, _ACCOUNT_BYTES)


def node_key_text(key: bytes) -> str:
    """Return how a validator's key of 33 bytes is written: `n...`."""
    return _encode(_NODE_KEY + key)


def node_key_bytes(text: str) -> bytes:
    """Return the 33 bytes of a validator's key.

    Raises:
        Unproven: if it is no such key.

    """
    return checked_content("node key", text, _NODE_KEY, _KEY_BYTES)


def checked_content(what: str, text: str, prefix: bytes, length: int) -> bytes:
    """Return the bytes that a text holds between a prefix, which names their kind, and the checksum.

    Raises:
        Unproven: if it holds others, or its checksum does not fit.

    """
    number = 0
    for character in text[:_LONGEST]:
        value = _VALUES.get(character)
        if value is None:
            raise Unproven(what, expected="base58", found=repr(text[:_LONGEST]))
        number = number * 58 + value
    size = len(prefix) + length + _CHECKSUM_BYTES
    whole = number.to_bytes(size + _LONGEST, "big")[-size:]
    content, checksum = whole[:-_CHECKSUM_BYTES], whole[-_CHECKSUM_BYTES:]
    if not content.startswith(prefix) or checksum != _checksum(content) or _encode(content) != text:
        raise Unproven(what, expected=f"{length} bytes in base58, checksum included", found=repr(text[:80]))
    return content[len(prefix) :]


def _encode(content: bytes) -> str:
    whole = content + _checksum(content)
    number, text = int.from_bytes(whole, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return _ALPHABET[0] * (len(whole) - len(whole.lstrip(b"\0"))) + text


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(content).digest()).digest()[:_CHECKSUM_BYTES]
