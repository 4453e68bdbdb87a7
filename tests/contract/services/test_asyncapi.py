"""The AsyncAPI documents are those of the running applications, and say all that is on the bus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

import audit_writer.main
import reconciler.main
from audit_writer.settings import AuditWriterSettings
from order_events.codec import ENGINE_TYPES, EVENT_TYPES, ORDERS_TYPES
from order_events.schemas import event_type, samples
from reconciler.settings import ReconcilerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faststream.asgi import AsgiFastStream

DOCS = Path(__file__).parents[3] / "docs/asyncapi"
NAMES = ("reconciler", "audit_writer")
SECRET = "a-secret-that-must-not-be-shown"  # noqa: S105 - looked for, used nowhere


def running(name: str) -> AsgiFastStream:
    """Return a service's application with settings as in a deployment."""
    nats_url = f"nats://{name}:{SECRET}@bus.example:4222"
    if name == "reconciler":
        found = {"xrpl_urls": "ws://node:6006", "accounts": "rPCLzUmkstqY8GTYhVW4LUVxr1ic25J3GX"}
        settings = ReconcilerSettings.model_validate({"nats_url": nats_url, **found})
        return reconciler.main.create_app(settings)
    dsn = f"postgresql://audit_writer:{SECRET}@database.example/audit"
    return audit_writer.main.create_app(
        AuditWriterSettings.model_validate({"nats_url": nats_url, "database_url": dsn})
    )


def document(app: AsgiFastStream) -> dict[str, Any]:
    found = app.schema.to_specification().to_jsonable()
    assert isinstance(found, dict)
    return found


async def get(app: AsgiFastStream, path: str) -> tuple[int, bytes]:
    """Ask the application over ASGI."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:  # noqa: ANN401 - an ASGI message
        sent.append(dict(message))

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize("name", NAMES)
def test_the_document_that_is_checked_in_is_that_of_the_running_application(name: str) -> None:
    written = json.loads((DOCS / f"{name}.json").read_bytes())
    assert document(running(name)) == written, "run: make docs"


@pytest.mark.parametrize("name", NAMES)
def test_faststreams_own_command_writes_it_without_any_settings(name: str, tmp_path: Path) -> None:
    out = tmp_path / "asyncapi.json"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FILLPROOF_")}
    command = [sys.executable, "-m", "faststream", "docs", "gen", f"{name}.main:create_app", "--factory"]
    subprocess.run([*command, "--out", str(out)], check=True, env=environment, capture_output=True)
    assert json.loads(out.read_bytes()) == json.loads((DOCS / f"{name}.json").read_bytes())


@pytest.mark.parametrize("name", NAMES)
async def test_a_service_serves_its_contract_and_shows_no_password(name: str) -> None:
    app = running(name)
    status, body = await get(app, "/asyncapi.json")
    assert (status, json.loads(body)) == (200, document(app))
    page_status, page = await get(app, "/asyncapi")
    assert page_status == 200
    assert SECRET.encode() not in body + page


async def test_the_page_names_every_subject_field_and_unit_and_needs_no_other_host() -> None:
    app = running("reconciler")
    page = (await get(app, "/asyncapi"))[1].decode()
    for channel in document(app)["channels"].values():
        assert f"<code>{channel['address']}</code>" in page
    for schema in document(app)["components"]["schemas"].values():
        for field in schema.get("properties", {}):
            assert f"<code>{field}</code>" in page
    assert "XRP in drops; tokens in decimal tokens" in page
    assert "http://" not in page
    assert "https://" not in page


def operations(name: str, action: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a service's operations with the channel of each."""
    found = document(running(name))
    for operation in found["operations"].values():
        if operation["action"] == action:
            yield operation["channel"]["$ref"], resolved(found, operation["channel"])


def resolved(found: dict[str, Any], reference: dict[str, str]) -> dict[str, Any]:
    value: Any = found
    for part in reference["$ref"].removeprefix("#/").split("/"):
        value = value[unquote(part)]
    assert isinstance(value, dict)
    return value


def test_the_reconciler_publishes_every_event_of_stream_orders_on_the_accounts_subject() -> None:
    channels = {channel["address"]: channel for _, channel in operations("reconciler", "send")}
    proven = channels.pop("proof.{ledger_index}")
    assert set(proven["parameters"]) == {"ledger_index"}
    assert set(channels) == {f"{event_type(kind)}.{{account}}" for kind in ORDERS_TYPES}
    assert all(set(channel["parameters"]) == {"account"} for channel in channels.values())


def test_the_reconciler_reads_every_announcement_of_an_engine() -> None:
    addresses = {channel["address"] for _, channel in operations("reconciler", "receive")}
    assert addresses == {f"{event_type(kind)}.{{account}}" for kind in ENGINE_TYPES}


def test_the_audit_writer_reads_every_event_of_stream_orders() -> None:
    taken: dict[str, set[str]] = {
        channel["address"]: set(channel["messages"]) for _, channel in operations("audit_writer", "receive")
    }
    assert taken["proof.>"] == {"LedgerProof"}
    every = {kind.__name__ for kind in ORDERS_TYPES}
    from_orders = taken["order.>"] | taken["reconciler.>"] | taken["ledger.>"]
    assert from_orders == every == taken["audit.redeliver.>"]
    sent = {channel["address"] for _, channel in operations("audit_writer", "send")}
    assert sent == {"audit.checkpoint", "dlq.audit-writer"}


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=event_type)
def test_every_event_type_has_its_schema_units_and_golden_samples(kind: Any) -> None:  # noqa: ANN401 - a type
    found = document(running("reconciler"))
    message = found["components"]["messages"][f"{kind.__name__}:Message"]
    schema = resolved(found, message["payload"])
    assert schema["properties"]["event_type"]["enum"] == [event_type(kind)]
    undescribed = [
        name
        for name, field in schema["properties"].items()
        if name != "event_type" and not field.get("description")
    ]
    assert undescribed == []
    assert [example["payload"] for example in message["examples"]] == list(samples(kind).values())
