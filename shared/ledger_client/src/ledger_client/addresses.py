"""Addresses of accounts: the classic form (r...), and the X-address, which holds a classic one."""

from ledger_proof import Unproven, account_address, account_bytes, checked_content

ACCOUNT_BYTES = 20
_X_PREFIXES = (b"\x05\x44", b"\x04\x93")
"""Of X-addresses: main network (X...), test networks (T...)."""
_FLAG_AND_TAG = bytes(9)
"""Of an X-address without a destination tag."""


def classic_address(text: str) -> str:
    """Return the classic address of an account that is written in either form.

    A destination tag in an X-address is refused: orders belong to the whole account.

    Raises:
        ValueError: if it is no address; the text says what was expected.

    """
    try:
        account_bytes(text)
    except Unproven:
        return _classic_of_x_address(text)
    return text


def encode_address(account: bytes) -> str:
    """Return the classic address of an account's 20 bytes.

    Raises:
        ValueError: if there are not 20.

    """
    if len(account) != ACCOUNT_BYTES:
        raise ValueError(f"expected {ACCOUNT_BYTES} bytes of an account, found {len(account)}")
    return account_address(account)


def _classic_of_x_address(text: str) -> str:
    for prefix in _X_PREFIXES:
        try:
            content = checked_content("X-address", text, prefix, ACCOUNT_BYTES + len(_FLAG_AND_TAG))
        except Unproven:
            continue
        account = account_address(content[:ACCOUNT_BYTES])
        if content[ACCOUNT_BYTES:] == _FLAG_AND_TAG:
            return account
        raise ValueError(
            f"expected the address of a whole account, found an X-address with a destination tag, {text!r}: "
            f"its account's classic address is {account}"
        )
    raise ValueError(
        f"expected the classic address of an account (r...), found {text!r} (a letter may be wrong: "
        "its checksum does not fit)"
    )
