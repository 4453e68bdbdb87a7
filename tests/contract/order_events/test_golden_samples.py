"""Every golden sample was published once, and must be understood for ever."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from order_events import (
    LedgerProof,
    Malformed,
    OrderAccepted,
    OrderCorrected,
    OrderEvent,
    Provenance,
    ReconcilerEvent,
    decode,
    encode,
    event_id,
    proof_id,
    reconciler_event_id,
    schemas,
)
from order_events.schemas import value_schemas
from order_events.subjects import engine_subject, order_subject, proof_subject

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "shared/order_events/schemas"
GOLDEN = Path(str(files("order_events") / "samples"))
SAMPLES = sorted(GOLDEN.glob("v*/*.json"))

NAMED_BY = {
    "order.disappeared.in_a_gap": "from ledger 70",
    "order.corrected": "a46517b0-1cd1-5d6b-81e0-3bb62c2c021f by ledgers 70-82",
}
"""What names the facts that are about our own knowledge."""

every_sample = pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")


def sample(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


def schema_name(path: Path) -> str:
    """Return the schema's name of a sample: the event type, of an earlier version with that version."""
    event_type, version = sample(path)["event_type"], sample(path).get("version", 1)
    earlier = f"{event_type}.v{version}"
    return earlier if earlier in schemas() else event_type


def test_there_is_a_sample_of_every_event_type() -> None:
    assert {schema_name(path) for path in SAMPLES} == set(schemas())


@every_sample
def test_a_sample_is_read_and_written_again_with_all_its_content(path: Path) -> None:
    content = sample(path)
    if path.parent.name == "v1" and content["event_type"] == "order.corrected":
        stands = content.pop("stands")
        content |= {"version": 2, "correction": "amended" if stands else "withdrawn"}
    written = json.loads(encode(decode(path.read_bytes())))
    assert written | content == written  # what came with a later release may stand beside it


@every_sample
def test_a_sample_obeys_the_schema_of_its_type(path: Path) -> None:
    content = sample(path)
    validator = Draft202012Validator(schemas()[schema_name(path)], format_checker=FormatChecker())
    assert [error.message for error in validator.iter_errors(content)] == []


@every_sample
def test_a_sample_goes_to_the_subject_of_its_type(path: Path) -> None:
    event = decode(path.read_bytes())
    if isinstance(event, LedgerProof):
        assert proof_subject(event) == f"proof.{event.ledger_index}"
    elif isinstance(event, OrderEvent | ReconcilerEvent):
        assert order_subject(event) == f"{sample(path)['event_type']}.{event.account}"
    else:
        assert engine_subject(event) == f"{sample(path)['event_type']}.{event.account}"


@every_sample
def test_an_order_events_id_names_its_fact(path: Path) -> None:
    event = decode(path.read_bytes())
    if isinstance(event, LedgerProof):
        assert event.event_id == proof_id(
            network_id=event.network_id,
            ledger_hash=event.ledger_hash,
            confirmed=event.confirmed,
            transactions=[one.transaction_hash for one in event.transactions],
        )
        return
    if not isinstance(event, OrderEvent):
        assert isinstance(event, ReconcilerEvent) or "event_id" not in sample(path)
        return
    presumed = ".presumed" if event.provenance is Provenance.PRESUMED else ""
    assert event.event_id == event_id(
        network_id=event.network_id,
        kind=sample(path)["event_type"] + presumed,
        account=event.account,
        sequence=event.sequence,
        transaction_hash=None
        if isinstance(event, OrderAccepted)
        else NAMED_BY.get(path.stem, event.transaction_hash),
    )


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("reconciler.halted", lambda event: (event.ledger_index, event.cause)),
        ("reconciler.resumed", lambda event: (event.answers,)),
        (
            "reconciler.balance_drift",
            lambda event: (f"{event.currency}.{event.issuer}", event.since_ledger),
        ),
        ("reconciler.balance_drift.xrp", lambda event: (event.currency, event.since_ledger)),
        ("reconciler.confirmed", lambda event: (event.ledger_hash,)),
        ("reconciler.history_gap", lambda event: (event.first_ledger, event.resolution)),
        ("reconciler.history_gap.healed", lambda event: (event.first_ledger, event.resolution)),
    ],
)
def test_an_id_of_an_event_about_an_account_names_its_fact(
    name: str, about: Callable[[Any], tuple[object, ...]]
) -> None:
    event = decode((GOLDEN / f"v1/{name}.json").read_bytes())
    assert isinstance(event, ReconcilerEvent)
    assert event.event_id == reconciler_event_id(
        network_id=event.network_id,
        kind=str(event.__struct_config__.tag),
        account=event.account,
        about=about(event),
    )


@pytest.mark.parametrize(("stands", "correction"), [(True, "amended"), (False, "withdrawn")])
def test_a_correction_of_version_1_is_read_as_version_2_says_it(*, stands: bool, correction: str) -> None:
    content = sample(GOLDEN / "v1/order.corrected.json") | {"stands": stands}
    event = decode(json.dumps(content).encode())
    assert isinstance(event, OrderCorrected)
    assert (event.version, event.correction, str(event.event_id)) == (2, correction, content["event_id"])


@pytest.mark.parametrize("version", [1, 2])
def test_a_correction_that_says_neither_is_malformed(version: int) -> None:
    content = sample(GOLDEN / "v2/order.corrected.json") | {"version": version}
    del content["correction"]
    with pytest.raises(Malformed, match="missing required field `correction`"):
        decode(json.dumps(content).encode())


@every_sample
def test_a_field_that_nobody_knows_yet_is_ignored(path: Path) -> None:
    newer = json.dumps(sample(path) | {"field_of_a_later_version": {"of": ["any", "shape"]}}).encode()
    assert decode(newer) == decode(path.read_bytes())


@every_sample
def test_an_unknown_version_is_refused_with_what_was_expected_and_found(path: Path) -> None:
    known = sample(path).get("version", 1)
    with pytest.raises(Malformed, match=rf"expected version {known} of .*, found 9"):
        decode(json.dumps(sample(path) | {"version": 9}).encode())


@every_sample
def test_the_published_schema_is_current(path: Path) -> None:
    name = schema_name(path)
    assert sample(SCHEMAS / f"{name}.json") == schemas()[name], (
        "run: python -m order_events shared/order_events/schemas"
    )


def fields_of(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the fields of a struct; `event_type` is the tag, which says itself."""
    for name, field in definition.get("properties", {}).items():
        if name != "event_type":
            yield name, field


@pytest.mark.parametrize("name", schemas())
def test_every_field_says_what_it_is(name: str) -> None:
    undescribed = [
        f"{kind}.{field}"
        for kind, definition in schemas()[name]["$defs"].items()
        for field, schema in fields_of(definition)
        if not schema.get("description")
    ]
    assert undescribed == []


UNITS = re.compile(r"drops|in base|quote per base|basis points|/ mid")


@pytest.mark.parametrize("name", schemas())
def test_every_number_that_is_an_amount_or_a_price_names_its_unit(name: str) -> None:
    without = [
        f"{kind}.{field}"
        for kind, definition in schemas()[name]["$defs"].items()
        for field, schema in fields_of(definition)
        if '"decimal"' in json.dumps(schema) and not UNITS.search(schema["description"])
    ]
    assert without == []


@pytest.mark.parametrize("name", schemas())
def test_every_schema_has_a_name_of_its_own_and_examples_that_obey_it(name: str) -> None:
    schema = schemas()[name]
    event_type, _, version = schema["$id"].removeprefix("urn:fillproof:").partition(":")
    assert name in {event_type, f"{event_type}.v{version}"}
    assert schema["examples"]
    validator = Draft202012Validator(schema)
    for example in schema["examples"]:
        assert example["event_type"] == event_type
        assert example.get("version", 1) == int(version)
        assert [error.message for error in validator.iter_errors(example)] == []


def test_the_command_writes_every_schema(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "order_events", str(tmp_path)], check=True)
    written = {path.stem: sample(path) for path in tmp_path.iterdir()}
    assert written == schemas() | value_schemas()


def test_the_command_refuses_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "order_events", str(tmp_path / "missing")]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (answer.returncode, "existing folder" in answer.stderr) == (2, True)


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff", b"null", b"{}", b"[" * 100_000, b'{"a":' * 100_000, b'{"event_type":"order.invented"}'],
    ids=["empty", "not text", "null", "no type", "deep list", "deep object", "unknown type"],
)
def test_what_is_no_event_is_malformed(payload: bytes) -> None:
    with pytest.raises(Malformed):
        decode(payload)
