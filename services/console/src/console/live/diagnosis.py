"""`fillproof doctor`: what of a deployment works, and what to do about what does not.

Every part is looked at on its own; none that is away keeps the others from being looked at.
"""

import shutil
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec
import nats.js.errors
from nats.js import JetStreamContext

from console.asking import checked_address, server_at
from console.bus_connection import open_bus
from console.errors import BadOption, NotFinished
from ledger_client import LedgerServer, ServerError, ServerStatus, account_root, ledger_header, server_status
from offer_lifecycle import ripple_time_to_datetime
from order_events.permission import PERMISSION_BUCKET
from order_events.subjects import (
    AUDIT_CONSUMER,
    DEAD_LETTER_STREAM,
    ENGINE_STREAM,
    ORDERS_STREAM,
    REDELIVERY_STREAM,
    STATE_BUCKET,
)

STREAMS = (
    ORDERS_STREAM,
    ENGINE_STREAM,
    DEAD_LETTER_STREAM,
    REDELIVERY_STREAM,
    f"KV_{STATE_BUCKET}",
    f"KV_{PERMISSION_BUCKET}",
)
_OLD_SECONDS = 20.0
_CLOCK_SECONDS = 10.0
_SLOW_SECONDS = 2.0
_HISTORY_LEDGERS = 20_000
"""About a day: what a reconciler that was away for a night needs."""
_NEARLY_FULL = 0.8
_FREE_BYTES = 2 * 1024**3
_MAKE_STREAMS = "run the step `streams` (docker compose run --rm streams)"
_MAKE_SCHEMA = "run the step `schema` (docker compose run --rm schema)"


class Health(StrEnum):
    """How a part is."""

    WELL = "ok"
    NOTE = "note"
    """It works, and somebody should know of it."""
    ILL = "FAIL"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one part."""

    part: str
    health: Health
    found: str
    advice: str = ""
    """What to do; empty where it is well."""


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at; what is not named is passed over."""

    xrpl_urls: Sequence[str] = ()
    accounts: Sequence[str] = ()
    nats_url: str | None = None
    database: str | None = None
    data_dir: Path | None = None


async def diagnose(deployment: Deployment) -> AsyncIterator[Finding]:
    """Yield what is found, part by part."""
    for finding in (*_space(deployment.data_dir), *_accounts(deployment.accounts)):
        yield finding
    for url in deployment.xrpl_urls:
        for finding in await _server(url, deployment.accounts):
            yield finding
    if deployment.nats_url is not None:
        for finding in await _bus(deployment.nats_url):
            yield finding
    if deployment.database is not None:
        for finding in await _database(deployment.database):
            yield finding


def _space(data_dir: Path | None) -> list[Finding]:
    if data_dir is None:
        return []
    place = next(one for one in (data_dir, *data_dir.resolve().parents) if one.exists())
    free = shutil.disk_usage(place).free
    found = f"{free // 1024**2} MB free at {place}"
    if free < _FREE_BYTES:
        return [_ill("space", found, f"free at least {_FREE_BYTES // 1024**3} GB, or name another directory")]
    return [_well("space", found)]


def _accounts(accounts: Sequence[str]) -> list[Finding]:
    findings = []
    for account in accounts:
        try:
            findings.append(_well("settings", f"account {checked_address(account)}"))
        except BadOption as error:
            findings.append(_ill("settings", str(error), "correct FILLPROOF_ACCOUNTS"))
    return findings


async def _server(url: str, accounts: Sequence[str]) -> list[Finding]:
    try:
        server = server_at(url)
    except BadOption as error:
        return [_ill("settings", str(error), "correct FILLPROOF_XRPL_URLS")]
    try:
        asked = time.monotonic()
        status = await server_status(server)
        took = time.monotonic() - asked
        header = await ledger_header(server, status.validated)
        findings = [_answer_time(server, took), _clock(server, header.close_time)]
        findings.append(_history(server, status))
        findings += [await _on_ledger(server, account, status.validated) for account in accounts]
    except ServerError as error:
        return [_ill(server.name, error.problem, "correct the URL, or name another server beside it")]
    else:
        return [_well(server.name, f"network {status.network_id}, ledger {status.validated}"), *findings]
    finally:
        await server.close()


def _answer_time(server: LedgerServer, took: float) -> Finding:
    found = f"answers in {took:.2f} s"
    if took > _SLOW_SECONDS:
        return _note(server.name, found, "name a server that is nearer, or less busy")
    return _well(server.name, found)


def _clock(server: LedgerServer, close_time: int) -> Finding:
    age = (datetime.now(UTC) - ripple_time_to_datetime(close_time)).total_seconds()
    found = f"newest ledger closed {age:.0f} s ago by this machine's clock"
    if age < -_CLOCK_SECONDS:
        return _ill(server.name, found, "set this machine's clock: it is behind the ledger's")
    if age > _OLD_SECONDS:
        return _ill(server.name, found, "name another server, or set this machine's clock if it is ahead")
    return _well(server.name, found)


def _history(server: LedgerServer, status: ServerStatus) -> Finding:
    validated = status.validated
    begins = next((low for low, high in status.complete if low <= validated <= high), validated)
    found = f"history: ledgers {status.held}"
    if validated - begins < _HISTORY_LEDGERS:
        return _note(
            server.name,
            found,
            "a reconciler that was away for longer finds a gap here: name a server with more beside it",
        )
    return _well(server.name, found)


async def _on_ledger(server: LedgerServer, account: str, ledger_index: int) -> Finding:
    try:
        root = await account_root(server, checked_address(account), ledger_index)
    except BadOption as error:
        return _ill(server.name, str(error), "correct FILLPROOF_ACCOUNTS")
    if root is None:
        return _ill(server.name, f"no account {account}", "is it funded, and is this the right network?")
    return _well(server.name, f"knows {account}")


async def _bus(nats_url: str) -> list[Finding]:
    try:
        async with open_bus(nats_url) as jetstream:
            return [_well("bus", "answers, and lets this user in"), *(await _streams(jetstream))]
    except (NotFinished, BadOption) as error:
        return [
            _ill("bus", str(error), "start NATS, or correct FILLPROOF_NATS_URL: user, password, TLS, port")
        ]


async def _streams(jetstream: JetStreamContext) -> list[Finding]:
    findings = []
    for name in STREAMS:
        try:
            info = await jetstream.stream_info(name)
        except nats.js.errors.NotFoundError:
            findings.append(_ill(f"stream {name}", "not there", _MAKE_STREAMS))
            continue
        limit, used = info.config.max_bytes or -1, info.state.bytes
        found = f"{info.state.messages} messages, {used // 1024} kB"
        if limit > 0 and used > _NEARLY_FULL * limit:
            percent = f"{found}, {100 * used // limit}% of its limit"
            findings.append(_ill(f"stream {name}", percent, "raise FILLPROOF_*_MAX_BYTES, run `streams`"))
        else:
            findings.append(_well(f"stream {name}", found))
    return [*findings, *(await _audit_consumer(jetstream))]


async def _audit_consumer(jetstream: JetStreamContext) -> list[Finding]:
    try:
        consumer = await jetstream.consumer_info(ORDERS_STREAM, AUDIT_CONSUMER)
    except nats.js.errors.NotFoundError:
        return [_ill("audit writer", "its consumer is not there", _MAKE_STREAMS)]
    waiting = (consumer.num_pending or 0) + (consumer.num_ack_pending or 0)
    if waiting and not consumer.num_waiting:
        return [_ill("audit writer", f"{waiting} events wait, and nobody asks for them", "start the writer")]
    return [_well("audit writer", f"{waiting} events wait")]


async def _database(database: str) -> list[Finding]:
    from console.proof.connecting import connected  # noqa: PLC0415 - an extra of the package

    try:
        async with connected(database) as connection:
            version = await connection.fetchval("SHOW server_version")
            encoding = await connection.fetchval("SHOW server_encoding")
            now = await connection.fetchval("SELECT clock_timestamp()")
            table = await connection.fetchval("SELECT to_regclass('order_event')")
            month = await connection.fetchval(
                "SELECT to_regclass('order_event_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM'))"
            )
    except BadOption as error:
        return [
            _ill("database", str(error), "start PostgreSQL, or correct the URL: role, password, TLS, port")
        ]
    findings = [_well("database", f"PostgreSQL {version}")]
    if encoding != "UTF8":
        findings.append(_ill("database", f"encoding {encoding}", "make a database with encoding UTF8"))
    skew = abs((datetime.now(UTC) - now).total_seconds())
    if skew > _CLOCK_SECONDS:
        findings.append(_note("database", f"its clock is {skew:.0f} s from this one", "set both clocks"))
    if table is None:
        findings.append(_ill("database", "no audit tables", _MAKE_SCHEMA))
    elif month is None:
        findings.append(_note("database", "no partition for this month", _MAKE_SCHEMA))
    else:
        findings.append(_well("database", "audit tables, this month's partition among them"))
    return findings


def _well(part: str, found: str) -> Finding:
    return Finding(part=part, health=Health.WELL, found=found)


def _note(part: str, found: str, advice: str) -> Finding:
    return Finding(part=part, health=Health.NOTE, found=found, advice=advice)


def _ill(part: str, found: str, advice: str) -> Finding:
    return Finding(part=part, health=Health.ILL, found=found, advice=advice)
