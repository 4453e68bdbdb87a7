"""Keys of ledger entries, computed as the ledger computes them: the first half of a SHA-512."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from functools import lru_cache
from typing import TypeGuard

from base58 import RIPPLE_ALPHABET, b58decode_check, b58encode_check

_XRP = bytes(20)
_ACCOUNT_PREFIX = b"\0"
_MANTISSA_DIGITS = 16
_SEQUENCE_BYTES = 4
_ISO_CODE_LENGTH = 3


@lru_cache(maxsize=65536)
def account_id(address: str) -> bytes:
    """Return the 20 bytes behind a classic address.

    Raises:
        ValueError: the text is no classic address.

    """
    decoded = b58decode_check(address, alphabet=RIPPLE_ALPHABET)
    if not decoded.startswith(_ACCOUNT_PREFIX) or len(decoded) != len(_ACCOUNT_PREFIX + _XRP):
        raise ValueError(f"expected a classic address, found {address!r}")
    return decoded.removeprefix(_ACCOUNT_PREFIX)


def is_address(value: object) -> TypeGuard[str]:
    """Say whether a JSON value is a classic address."""
    try:
        return isinstance(value, str) and bool(account_id(value))
    except ValueError:
        return False


def half_sha512(data: bytes) -> str:
    """Return the first 256 bits of the SHA-512 in upper-case hex: the ledger's own hash."""
    return hashlib.sha512(data).digest()[:32].hex().upper()


def account_key(address: str) -> str:
    """Return the key of an AccountRoot."""
    return half_sha512(b"\0a" + account_id(address))


@lru_cache(maxsize=65536)
def offer_key(address: str, sequence: int) -> str:
    """Return the key of an Offer; `sequence` is the ticket's number where a ticket was used."""
    return half_sha512(b"\0o" + account_id(address) + sequence.to_bytes(4, "big"))


@lru_cache(maxsize=65536)
def line_key(one: str, other: str, currency: str) -> str:
    """Return the key of the RippleState between two accounts, whichever is named first."""
    low, high = sorted((account_id(one), account_id(other)))
    return half_sha512(b"\0r" + low + high + currency_bytes(currency))


def mpt_issuance_key(issuance_id: str) -> str:
    """Return the key of an MPTokenIssuance."""
    return half_sha512(b"\0~" + bytes.fromhex(issuance_id))


def mpt_issuer(issuance_id: str) -> str:
    """Return the address of an MPT's issuer, whose 20 bytes its id ends with."""
    payload = _ACCOUNT_PREFIX + bytes.fromhex(issuance_id)[_SEQUENCE_BYTES:]
    return b58encode_check(payload, alphabet=RIPPLE_ALPHABET).decode()


def mptoken_key(issuance_id: str, holder: str) -> str:
    """Return the key of the MPToken in which an account holds an MPT."""
    return half_sha512(b"\0t" + bytes.fromhex(mpt_issuance_key(issuance_id)) + account_id(holder))


def credential_key(subject: str, issuer: str, credential_type: str) -> str:
    """Return the key of a Credential; its type in hexadecimal digits."""
    return half_sha512(b"\0D" + account_id(subject) + account_id(issuer) + bytes.fromhex(credential_type))


def book_key(pays: Asset, gets: Asset, domain: str | None = None) -> str:
    """Return the 48 hex digits with which every directory of a book begins."""
    (pays_currency, pays_issuer), (gets_currency, gets_issuer) = pays, gets
    assets = pays_currency + gets_currency + pays_issuer + gets_issuer
    return half_sha512(b"\0B" + assets + bytes.fromhex(domain or ""))[:48]


def amm_key(one: Asset, other: Asset) -> str:
    """Return the key of the automated market maker between two assets."""
    first, second = sorted((issuer, currency) for currency, issuer in (one, other))
    return half_sha512(b"\0A" + b"".join((*first, *second)))


def quality_bits(quality: str) -> str:
    """Return the 16 hex digits of a quality (TakerPays / TakerGets, XRP in drops) in a book's directory."""
    _, digits, exponent = Decimal(quality).as_tuple()
    shift = _MANTISSA_DIGITS - len(digits)
    mantissa = int("".join(map(str, digits))) * 10**shift
    return f"{int(exponent) - shift + 100:02X}{mantissa:014X}"


Asset = tuple[bytes, bytes]
"""A currency (20 bytes) and its issuer (20 bytes), both zero for XRP; an MPT's id (24 bytes) and nothing."""


def asset(currency: str, issuer: str | None) -> Asset:
    """Return what the ledger hashes for a currency and its issuer (None for XRP)."""
    return currency_bytes(currency), account_id(issuer) if issuer else _XRP


def mpt(issuance_id: str) -> Asset:
    """Return what the ledger hashes for an MPT."""
    return bytes.fromhex(issuance_id), b""


def currency_bytes(currency: str) -> bytes:
    """Return the 160 bits of a currency code: `XRP`, three letters or 40 hex digits; else ValueError."""
    if currency == "XRP":
        return _XRP
    if len(currency) == _ISO_CODE_LENGTH and currency.isascii():
        return bytes(12) + currency.encode() + bytes(5)
    code = bytes.fromhex(currency)
    if len(code) != len(_XRP):
        raise ValueError(f"expected a currency of 3 letters or 40 hex digits, found {currency!r}")
    return code
