"""Retry-After: the seconds that an overloaded server asks us to stay away (RFC 9110, 10.2.3)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 300.0
"""Seconds; a server that asks for more is asked again after so many."""


def seconds_to_stay_away(headers: Iterable[tuple[str, str]], now: datetime) -> float | None:
    """Return the seconds that an answer's headers say, as a number or as a date, from 0 to `LONGEST`.

    None: there is no such header, or it can't be read. A date is held against the server's own Date, if it
    says one, since its clock may differ from ours; else against `now`.
    """
    said = {name.lower(): value for name, value in headers}
    text = said.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), LONGEST))
    until = _date(text)
    if until is None:
        return None
    seconds = (until - (_date(said.get("date", "")) or now)).total_seconds()
    return min(max(seconds, 0.0), LONGEST)


def _date(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
