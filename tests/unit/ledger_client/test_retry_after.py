"""Retry-After: seconds or a date, never longer than the cap, and what is neither is none."""

from datetime import UTC, datetime

import pytest

from ledger_client.retry_after import LONGEST, seconds_to_stay_away

NOW = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after": " 7 "}, 7),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "Sun, 29 Nov 2026 12:00:30 GMT"}, 30),
        ({"Retry-After": "Sun, 29 Nov 2026 11:59:30 GMT"}, 0),
        ({"Retry-After": "Sun, 29 Nov 2026 13:00:30 GMT", "Date": "Sun, 29 Nov 2026 13:00:00 GMT"}, 30),
        ({"Retry-After": "86400"}, LONGEST),
        ({"Retry-After": "9" * 5000}, LONGEST),
        ({"Retry-After": "Sun, 29 Nov 9999 12:00:00 GMT"}, LONGEST),
    ],
)
def test_the_seconds_that_a_server_asks_for_are_read_and_capped(
    headers: dict[str, str], seconds: float
) -> None:
    assert seconds_to_stay_away(headers.items(), NOW) == seconds


@pytest.mark.parametrize("text", ["", "-1", "soon", "1.5", "\u0661", "Sun, 99 Nov 99999 12:00:00 GMT", "1e3"])
def test_what_is_neither_a_number_nor_a_date_is_none(text: str) -> None:
    assert seconds_to_stay_away([("Retry-After", text)], NOW) is None
    assert seconds_to_stay_away([], NOW) is None
