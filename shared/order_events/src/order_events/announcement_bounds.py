"""Bounds of an announcement's amounts and times: those of the ledger, which a type alone can't express."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

import msgspec

from order_events.engine import EngineEvent, OrderSubmitted
from order_events.orders import Amount

LONGEST_ANNOUNCEMENT = 16_384
"""Bytes; the longest one that fits takes a third of it, the rest is left for fields of later versions."""

_ISSUER = "r[1-9A-HJ-NP-Za-km-z]{24,34}"
_ISSUED = re.compile(
    rf"(?!XRP\.)(?:[0-9A-Za-z?!@#$%^&*<>(){{}}\[\]|]{{3}}|[0-9A-Fa-f]{{40}})\.{_ISSUER}", re.ASCII
)
"""A currency code (three characters, or 160 bits in hexadecimal) and the issuer's address."""
_MPT = re.compile("(?:MPT\\.)?[0-9A-Fa-f]{48}")
_MOST_DROPS = Decimal(10**17)
_LARGEST_MPT = Decimal(2**63 - 1)
_TOKEN_DIGITS = 16
_TOKEN_EXPONENTS = range(-96, 81)
"""Of a token amount with all its 16 digits before the point."""
_LONGEST_NUMBER = 97
"""Digits, zeros included: the largest token amount, written without an exponent."""
_FIRST_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_LAST_TIME = datetime(2136, 2, 7, 6, 28, 15, tzinfo=UTC)
"""The ledger's time is 32 bits of seconds since the first one."""

Announcement = TypeVar("Announcement", bound=EngineEvent)


def bounded_announcement(event: Announcement) -> Announcement:
    """Return the announcement with its time in UTC, if its amounts and its time exist on the ledger.

    Raises:
        ValueError: with what was expected and what was found.

    """
    if not isinstance(event, OrderSubmitted):
        return event
    _check_amount("taker_gets", event.taker_gets)
    _check_amount("taker_pays", event.taker_pays)
    if event.taker_gets.asset == event.taker_pays.asset:
        raise ValueError(f"expected two assets, found {event.taker_gets.asset} for itself")
    if event.expiration is None:
        return event
    return msgspec.structs.replace(event, expiration=_ledger_time(event.expiration))


def _ledger_time(time: datetime) -> datetime:
    """Return the time in UTC; one without a zone is in UTC, as the contract says."""
    aware = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    if not _FIRST_TIME <= aware <= _LAST_TIME:
        raise ValueError(f"expiration: expected a time from 2000 to 2136, found {aware.isoformat()}")
    return aware.astimezone(UTC)


def _check_amount(name: str, amount: Amount) -> None:
    value, found = amount.value, f"{name}: found {amount.value!s:.80}"
    if not value.is_finite() or value <= 0:
        raise ValueError(f"{found}, expected a number above zero")
    if amount.asset == "XRP":
        _check_whole(value, _MOST_DROPS, f"{found}, expected whole drops up to 10^17")
    elif _MPT.fullmatch(amount.asset):
        _check_whole(value, _LARGEST_MPT, f"{found}, expected a whole number up to 2^63-1")
    elif _ISSUED.fullmatch(amount.asset):
        _check_token(value, f"{found}, expected at most 16 digits and an exponent from -96 to 80")
    else:
        raise ValueError(
            f"{name}: found asset {amount.asset[:100]!r}, expected XRP, <currency>.<issuer> or "
            "MPT.<issuance id>"
        )


def _check_whole(value: Decimal, largest: Decimal, problem: str) -> None:
    if value > largest or _digits(value) > _LONGEST_NUMBER or value != int(value):
        raise ValueError(problem)


def _check_token(value: Decimal, problem: str) -> None:
    exponent = value.adjusted() - _TOKEN_DIGITS + 1
    if exponent not in _TOKEN_EXPONENTS or _digits(value) > _LONGEST_NUMBER:
        raise ValueError(problem)
    if len("".join(map(str, value.as_tuple().digits)).rstrip("0")) > _TOKEN_DIGITS:
        raise ValueError(problem)


def _digits(value: Decimal) -> int:
    return len(value.as_tuple().digits)
