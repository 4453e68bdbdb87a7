"""The value that an engine reads in the bucket `permission`, and its published schema."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from order_events import Permission, TradingPermission, encode
from order_events.permission import read_permission
from order_events.schemas import value_schemas

SCHEMA = Path(__file__).parents[3] / "shared/order_events/schemas/permission.json"
GOLDEN = b"""{"network_id":0,
"account":"rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe","permission":"stop","cause":"behind",
"reason":"expected to be at the newest ledger, found 7 ledgers to read","ledger_index":95000000,
"decided_at":"2026-11-29T18:00:00Z","until":"2026-11-29T18:00:05Z","version":1}"""


def test_the_golden_sample_is_read_for_ever() -> None:
    assert read_permission(GOLDEN) is Permission.STOP


@pytest.mark.parametrize("permission", Permission)
def test_what_is_written_obeys_the_published_schema_and_is_read_again(permission: Permission) -> None:
    now = datetime(2026, 11, 29, tzinfo=UTC)
    value = TradingPermission(
        network_id=0,
        account="rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe",
        permission=permission,
        cause="none",
        reason="",
        ledger_index=None,
        decided_at=now,
        until=now,
    )
    schema = json.loads(SCHEMA.read_text())
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    assert list(validator.iter_errors(json.loads(encode(value)))) == []
    assert read_permission(encode(value)) is permission


def test_the_published_schema_is_current() -> None:
    assert json.loads(SCHEMA.read_text()) == value_schemas()["permission"]


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b'{"permission": "ok"}'])
def test_what_can_not_be_read_is_a_stop(value: bytes) -> None:
    assert read_permission(value) is Permission.STOP
