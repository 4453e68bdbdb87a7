"""Addresses of accounts: the classic form (r...), and the X-address, which holds a classic one."""

import base58

ACCOUNT_BYTES = 20
_CLASSIC = b"\x00"
_X_PREFIXES = (b"\x05\x44", b"\x04\x93")
"""Of X-addresses: main network (X...), test networks (T...)."""
_X_BYTES = 2 + ACCOUNT_BYTES + 1 + 8
"""Prefix, account, flag, tag."""


def classic_address(text: str) -> str:
    """Return the classic address of an account that is written in either form.

    A destination tag in an X-address is refused: orders belong to the whole account.

    Raises:
        ValueError: if it is no address; the text says what was expected.

    """
    try:
        raw = base58.b58decode_check(text, alphabet=base58.RIPPLE_ALPHABET)
    except ValueError as error:
        raise _no_address(text) from error
    if len(raw) == 1 + ACCOUNT_BYTES and raw[:1] == _CLASSIC:
        return text
    if len(raw) != _X_BYTES or not raw.startswith(_X_PREFIXES):
        raise _no_address(text)
    account = encode_address(raw[2 : 2 + ACCOUNT_BYTES])
    if raw[2 + ACCOUNT_BYTES :] != bytes(9):
        raise ValueError(
            f"expected the address of a whole account, found an X-address with a destination tag, {text!r}: "
            f"its account's classic address is {account}"
        )
    return account


def encode_address(account: bytes) -> str:
    """Return the classic address of an account's 20 bytes.

    Raises:
        ValueError: if there are not 20.

    """
    if len(account) != ACCOUNT_BYTES:
        raise ValueError(f"expected {ACCOUNT_BYTES} bytes of an account, found {len(account)}")
    return base58.b58encode_check(_CLASSIC + account, alphabet=base58.RIPPLE_ALPHABET).decode()


def _no_address(text: str) -> ValueError:
    return ValueError(
        f"expected the classic address of an account (r...), found {text!r} (a letter may be wrong: "
        "its checksum does not fit)"
    )
