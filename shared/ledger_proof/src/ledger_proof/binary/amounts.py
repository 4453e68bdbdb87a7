"""Amounts, assets and numbers of the binary format, written as a server's JSON writes them."""

from ledger_proof.base58 import account_address

DROPS_BYTES, MPT_BYTES, TOKEN_BYTES = 8, 33, 48
TOKEN, _POSITIVE, _MPT = 0x80, 0x40, 0x20
"""Bits of an amount's first byte."""
_TOKEN_POSITIVE = 1 << 62
_MANTISSA = (1 << 54) - 1
_EXPONENT_OFFSET = 97
_PLAIN = range(-25, -4)
"""Exponents that are written without an exponent, as is 0."""

_CODE_CHARACTERS = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<>(){}[]|?!@#$%^&*"
)
_NO_ACCOUNT = bytes(19) + b"\x01"
"""ACCOUNT_ONE: stands in an MPT's Issue where a token's issuer would."""
_XRP = bytes(20)


def amount_bytes(first: int) -> int:
    """Return how long an amount with this first byte is."""
    if first & TOKEN:
        return TOKEN_BYTES
    return MPT_BYTES if first & _MPT else DROPS_BYTES


def amount(blob: bytes) -> str | dict[str, str]:
    """Read an amount of 8 (drops), 33 (MPT) or 48 bytes (token)."""
    if len(blob) == DROPS_BYTES:
        return drops(int.from_bytes(blob, "big"))
    if len(blob) == MPT_BYTES:
        value = int.from_bytes(blob[1:9], "big")
        sign = "" if blob[0] & _POSITIVE else "-"
        return {"value": f"{sign}{value}", "mpt_issuance_id": blob[9:].hex().upper()}
    return {
        "value": token_value(int.from_bytes(blob[:8], "big")),
        "currency": currency(blob[8:28]),
        "issuer": account_address(blob[28:]),
    }


def drops(number: int) -> str:
    """Write drops of XRP from the eight bytes as a number."""
    # Bit 62 says that it is positive
    return str(number - _TOKEN_POSITIVE) if number & _TOKEN_POSITIVE else str(-number)


def token_value(number: int) -> str:
    """Write a token amount's value from its first eight bytes as a number."""
    mantissa = number & _MANTISSA
    if not mantissa:
        return "0"
    exponent = (number >> 54 & 0xFF) - _EXPONENT_OFFSET
    sign = "" if number & _TOKEN_POSITIVE else "-"
    if exponent == 0:
        return f"{sign}{mantissa}"
    if exponent not in _PLAIN:
        return f"{sign}{mantissa}e{exponent}"
    digits = str(mantissa)
    point = len(digits) + exponent
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits.rstrip('0')}"
    return f"{sign}{digits[:point]}.{digits[point:]}".rstrip("0").rstrip(".")


def currency(code: bytes) -> str:
    """Write a currency's 20 bytes: `XRP`, three characters, or 40 hexadecimal digits."""
    if code == _XRP:
        return "XRP"
    if code == _NO_ACCOUNT:
        return "1"
    letters = code[12:15]
    # A code of three letters has zeros everywhere else, and may not read XRP
    alone = code == bytes(12) + letters + bytes(5)
    if alone and letters != b"XRP" and _CODE_CHARACTERS.issuperset(letters):
        return letters.decode()
    return code.hex().upper()


def issue(blob: bytes, at: int) -> tuple[dict[str, str], int]:
    """Read an asset without an amount (Issue): 20 (XRP), 40 (token) or 44 bytes (MPT)."""
    code = blob[at : at + 20]
    if code == _XRP:
        return {"currency": "XRP"}, at + 20
    issuer = blob[at + 20 : at + 40]
    if issuer != _NO_ACCOUNT:
        return {"currency": currency(code), "issuer": account_address(issuer)}, at + 40
    # The issuer stands first and its sequence last, in the other byte order than in the id
    sequence = blob[at + 40 : at + 44][::-1]
    return {"mpt_issuance_id": (sequence + code).hex().upper()}, at + 44


def number(blob: bytes) -> str:
    """Write a Number of 12 bytes: mantissa and exponent, without the zeros at the mantissa's end."""
    mantissa = int.from_bytes(blob[:8], "big", signed=True)
    exponent = int.from_bytes(blob[8:], "big", signed=True)
    if not mantissa:
        return "0"
    digits = str(mantissa).rstrip("0")
    exponent += len(str(mantissa)) - len(digits)
    return f"{digits}e{exponent}" if exponent else digits
