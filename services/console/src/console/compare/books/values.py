"""Values of a book's columns: amounts without a float, times in UTC, sides, hashes."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from console.compare.errors import AmbiguousBook, BadBook
from offer_lifecycle import ripple_time_to_datetime
from order_events import Side

_SIDES = {
    "buy": Side.BUY,
    "b": Side.BUY,
    "bid": Side.BUY,
    "sell": Side.SELL,
    "s": Side.SELL,
    "ask": Side.SELL,
}
_NO_VALUE = frozenset({"", "none", "null", "nan", "nat", "unknown"})
_RIPPLE_EPOCH_UNTIL = 1_200_000_000
"""Seconds: as Unix time before 2008, when no ledger was; as the ledger's time, since 2000, all its life."""
_UNITS = ((1e17, 9), (1e14, 6), (1e11, 3))
"""Whole numbers from so much on count seconds x 10^so many."""
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")


def empty(value: object) -> bool:
    """Whether a cell holds nothing."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _NO_VALUE)


def number(value: object, scale: Decimal | None = None) -> Decimal:
    """Read an amount or a price; `scale` is what one is worth where the value is a whole number.

    Raises:
        ValueError: it is no finite number.

    """
    if isinstance(value, int):
        return value * (scale or Decimal(1))
    try:
        # Of a float the shortest decimal that reads as the same float, as every engine prints it
        read = Decimal(repr(value) if isinstance(value, float) else str(value).strip())
    except InvalidOperation:
        read = Decimal("NaN")
    if not read.is_finite():
        raise ValueError(f"expected a decimal number, found {value!r}")
    return read


def decimals(value: object, scale: Decimal | None = None) -> int:
    """Return how many digits after the point a cell keeps."""
    exponent = number(value, scale).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def side_of(value: object) -> Side:
    """Read a side; raises ValueError where it is none."""
    try:
        return _SIDES[str(value).strip().lower()]
    except KeyError:
        raise ValueError(f"expected buy or sell, found {value!r}") from None


def time_zone(text: str) -> tzinfo:
    """Read `UTC`, `+02:00` or a name of the zone database.

    Raises:
        BadBook: there is no such zone.

    """
    if text.upper() in {"UTC", "Z"}:
        return UTC
    if (offset := _OFFSET.fullmatch(text)) is not None:
        sign, hours, minutes = offset.groups()
        away = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(away if sign == "+" else -away)
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise BadBook(f"expected a time zone as UTC, +02:00 or Europe/Zurich, found {text!r}") from error


def moment(value: object, zone: tzinfo | None) -> datetime:
    """Read a time: ISO 8601, or a number of seconds, milli-, micro- or nanoseconds since 1970.

    Raises:
        ValueError: it is none.
        AmbiguousBook: it has no zone, and `zone` is None.

    """
    if isinstance(value, int | float) or str(value).strip().replace(".", "", 1).isdigit():
        return _since_epoch(Decimal(str(value).strip()))
    try:
        read = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"expected a time in ISO 8601 or a number since 1970, found {value!r}") from None
    if read.tzinfo is None:
        if zone is None:
            raise AmbiguousBook(
                f"the book's times have no zone (found {value!r}): say which one they are in with --tz, "
                "for example --tz UTC or --tz Europe/Zurich"
            )
        read = read.replace(tzinfo=zone)
    return read.astimezone(UTC)


def _since_epoch(counted: Decimal) -> datetime:
    power = next((power for limit, power in _UNITS if counted >= Decimal(limit)), 0)
    seconds = counted.scaleb(-power)
    if seconds < _RIPPLE_EPOCH_UNTIL:
        return ripple_time_to_datetime(0) + timedelta(microseconds=int(seconds * 1_000_000))
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 1_000_000))
