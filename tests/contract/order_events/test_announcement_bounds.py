"""The bounds of announcements: the ledger's own, and what the bus and a database can hold."""

import json
from decimal import Decimal
from typing import Any

import pytest

from order_events import Malformed, OrderSubmitted, decode_announcement
from order_events.announcement_bounds import LONGEST_ANNOUNCEMENT

ACCOUNT = "rPCLzUmkstqY8GTYhVW4LUVxr1ic25J3GX"
OTHER = "rfxmebQ8cESn2JoSoNV6eELtUzndoSjos6"
ISSUER = "rrhyM3FTkZAu7RQBwnZ1zS79GEssxSmEd3"
SUBJECT = f"engine.order.submitted.{ACCOUNT}"


def announced(**fields: Any) -> bytes:  # noqa: ANN401 - whatever JSON holds
    submitted = {
        "event_type": "engine.order.submitted",
        "account": ACCOUNT,
        "sequence": 20,
        "taker_gets": {"asset": "XRP", "value": "100000000"},
        "taker_pays": {"asset": f"USD.{ISSUER}", "value": "50"},
    }
    return json.dumps({**submitted, **fields}).encode()


def xrp(value: object) -> dict[str, object]:
    return {"asset": "XRP", "value": value}


def token(value: object, asset: str = f"USD.{ISSUER}") -> dict[str, object]:
    return {"asset": asset, "value": value}


def mpt(value: object) -> dict[str, object]:
    return token(value, "00000003430427B80BD2D09D36B70B969E12801065F22308")


WITHIN = [
    {"sequence": 1},
    {"sequence": 2**32 - 1},
    {"taker_gets": xrp("100000000000000000")},
    {"taker_gets": xrp("1e17")},
    {"taker_gets": mpt(str(2**63 - 1))},
    {"taker_pays": token("9999999999999999e80")},
    {"taker_pays": token("1000000000000000e-96")},
    {"taker_pays": token("50.000000000000000000000")},
    {"taker_pays": token("1", f"{'AB' * 20}.{ISSUER}")},
    {"taker_pays": token("1", f"MPT.{ISSUER}")},
    {"taker_pays": token("1", f"MPT.{'ab' * 24}")},
    {"client_order_id": "x" * 128},
    {"client_order_id": "naïve-🂡"},
    {"expiration": "2136-02-07T06:28:15Z"},
    {"transaction_hash": "ab" * 32},
    {"a_field_of_a_later_version": [1, 2]},
]
BEYOND = [
    {"sequence": 0},
    {"sequence": -1},
    {"sequence": 2**32},
    {"sequence": 10**400},
    {"validated_ledger_index": 2**32},
    {"last_ledger_sequence": 2**32},
    {"flags": 2**32},
    {"taker_gets": xrp("0")},
    {"taker_gets": xrp("-5")},
    {"taker_gets": xrp("1.5")},
    {"taker_gets": xrp("100000000000000001")},
    {"taker_gets": xrp("NaN")},
    {"taker_gets": xrp("Infinity")},
    {"taker_gets": xrp("9" * 500)},
    {"taker_gets": xrp("0." + "1" * 500)},
    {"taker_gets": xrp("1e131090")},
    {"taker_gets": xrp("1e999999999999999999")},
    {"taker_gets": xrp("1e-999999999999999999")},
    {"taker_gets": mpt(str(2**63))},
    {"taker_gets": mpt("0.5")},
    {"taker_pays": token("12345678901234567")},
    {"taker_pays": token("1e96")},
    {"taker_pays": token("1e-82")},
    {"taker_pays": token("5" + "0" * 2000 + "e-2000")},
    {"taker_pays": token("1", "USD")},
    {"taker_pays": token("1", f"XRP.{ISSUER}")},
    {"taker_pays": token("1", f"U\x00D.{ISSUER}")},
    {"taker_pays": token("1", "USD." + "r" * 5000)},
    {"taker_pays": xrp("5")},
    {"client_order_id": "a\x00b"},
    {"client_order_id": "a\nb"},
    {"client_order_id": "ends with a line break\n"},
    {"client_order_id": "x" * 129},
    {"session_id": "\x85"},
    {"expiration": "1999-12-31T23:59:59Z"},
    {"expiration": "2136-02-07T06:28:16Z"},
    {"expiration": "0001-01-01T00:00:00+23:00"},
    {"transaction_hash": "not a hash"},
    {"a_field_of_a_later_version": "x" * LONGEST_ANNOUNCEMENT},
    {"account": OTHER},
    {"event_type": "order.filled"},
]


def named(fields: dict[str, Any]) -> str:
    return json.dumps(fields)[:60]


@pytest.mark.parametrize("fields", WITHIN, ids=named)
def test_an_announcement_at_the_ledgers_limits_is_read(fields: dict[str, Any]) -> None:
    assert isinstance(decode_announcement(announced(**fields), SUBJECT), OrderSubmitted)


@pytest.mark.parametrize("fields", BEYOND, ids=named)
def test_an_announcement_beyond_a_limit_is_malformed(fields: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        decode_announcement(announced(**fields), SUBJECT)


def test_the_reason_says_what_was_expected_and_found() -> None:
    with pytest.raises(Malformed, match=r"taker_gets: found 1\.5, expected whole drops up to 10\^17"):
        decode_announcement(announced(taker_gets=xrp("1.5")), SUBJECT)


@pytest.mark.parametrize("earlier", [False, True])
def test_the_subject_holds_the_account_unless_engines_of_an_earlier_version_are_believed(
    *, earlier: bool
) -> None:
    kind = "engine.order.submitted"
    forged = [f"{kind}.{OTHER}", "engine.order.cancel_requested", f"{SUBJECT}.more"]
    for subject in forged if earlier else [*forged, kind]:
        with pytest.raises(Malformed, match="expected subject"):
            decode_announcement(announced(), subject, subject_without_account=earlier)
    event = decode_announcement(announced(), kind if earlier else SUBJECT, subject_without_account=earlier)
    assert event.account == ACCOUNT


def test_an_expiration_without_a_zone_is_in_utc_and_any_zone_is_told_in_utc() -> None:
    for written in ("2026-11-23T17:00:00", "2026-11-23T19:00:00+02:00"):
        event = decode_announcement(announced(expiration=written), SUBJECT)
        assert isinstance(event, OrderSubmitted)
        assert event.expiration is not None
        assert event.expiration.isoformat() == "2026-11-23T17:00:00+00:00"


def test_amounts_keep_their_digits() -> None:
    event = decode_announcement(announced(taker_pays=token("0.1234567890123456")), SUBJECT)
    assert isinstance(event, OrderSubmitted)
    assert event.taker_pays.value == Decimal("0.1234567890123456")
