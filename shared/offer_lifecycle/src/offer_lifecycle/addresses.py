"""Addresses and AccountIDs: the base58 form of an account's 20 bytes, for issuers that an MPT's id names."""

from functools import lru_cache
from hashlib import sha256

_ALPHABET = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_ACCOUNT_ID = b"\x00"
"""The type prefix of an account's address."""
_BYTES = 25
"""Prefix, AccountID and checksum."""


@lru_cache(maxsize=1024)
def address_of(account_id: str) -> str:
    """Return the classic address of an AccountID (40 hexadecimal digits)."""
    payload = _ACCOUNT_ID + bytes.fromhex(account_id)
    checked = payload + sha256(sha256(payload).digest()).digest()[:4]
    number, digits = int.from_bytes(checked), ""
    while number:
        number, place = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[place] + digits
    leading_zeros = len(checked) - len(checked.lstrip(b"\x00"))
    return _ALPHABET[0] * leading_zeros + digits


@lru_cache(maxsize=1024)
def account_id_of(address: str) -> str:
    """Return the AccountID (40 upper-case hexadecimal digits) of a classic address.

    Raises:
        ValueError: if it is no address.

    """
    number = 0
    for digit in address:
        number = number * len(_ALPHABET) + _ALPHABET.find(digit)
    checked = number.to_bytes(_BYTES, "big") if 0 <= number < 256**_BYTES else b""
    if not checked or checked[-4:] != sha256(sha256(checked[:-4]).digest()).digest()[:4]:
        raise ValueError(f"expected a classic address, found {address!r}")
    return checked[1:-4].hex().upper()
