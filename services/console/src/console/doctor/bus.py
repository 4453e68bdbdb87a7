"""The bus: its servers, this user's rights, streams, consumers, space, and who works on it."""

from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from urllib.parse import urlsplit

import msgspec
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext

from console.bus_connection import open_connection
from console.doctor.clocks import clock
from console.doctor.encryption import encryption
from console.doctor.findings import NEARLY_FULL, Finding, ill, note, well
from console.doctor.greeting import Greeting, greet
from console.doctor.streams import examine_streams
from console.errors import BadOption, NotFinished
from console.live.bus_state import bucket_messages, read_bus_state
from console.live.status import is_well
from order_events.subjects import ORDERS_STREAM, REPLICA_VERSION, STATE_BUCKET
from service_kit.bus_access import BusAccess
from service_kit.nats_urls import NATS_PORT, servers_of
from service_kit.settings import load_settings

_LEAST_VERSION = (2, 12)
"""The first nats-server with atomic batches."""
_PLAIN = {"nats", "tls"}
"""Schemes whose servers greet before TLS begins; those of WebSocket do not."""


async def examine_bus(urls: str, accounts: Sequence[str]) -> list[Finding]:
    """Look at the bus as the user of the URL, whose rights are the operator's."""
    try:
        async with open_connection(urls) as connection:
            jetstream = connection.jetstream()
            findings = [well("bus", "answers, and lets this user in")]
            cluster = False
            for url in servers_of(urls):
                found, greeting = await _server(url)
                findings += found
                cluster |= bool(greeting and greeting.cluster)
            findings += await examine_streams(jetstream, cluster=cluster)
            findings += [*(await _clock(connection)), *(await _space(jetstream))]
            return findings + await _workers(jetstream, accounts)
    except (NotFinished, BadOption) as error:
        advice = "start NATS, or correct FILLPROOF_NATS_URL: user, password, TLS, port"
        return [ill("bus", str(error), advice)]


async def _server(url: str) -> tuple[list[Finding], Greeting | None]:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or NATS_PORT
    part = f"bus {host}:{port}"
    if parts.scheme not in _PLAIN:
        return [encryption(part, host, None, encrypted=parts.scheme == "wss")], None
    greeted = await greet(host, port, load_settings(BusAccess).tls())
    if greeted is None:
        return [note(part, "does not answer", "start it: the cluster lacks a server")], None
    greeting, ends = greeted
    return [
        _version(part, greeting),
        encryption(part, host, ends, encrypted=greeting.tls_required or parts.scheme == "tls"),
    ], greeting


def _version(part: str, greeting: Greeting) -> Finding:
    found = f"nats-server {greeting.version}" + ("" if greeting.jetstream else ", without JetStream")
    least = ".".join(map(str, _LEAST_VERSION))
    numbers = [int(one) for one in greeting.version.split(".")[:2] if one.isdecimal()]
    if not greeting.jetstream or tuple(numbers) < _LEAST_VERSION:
        return ill(part, found, f"run nats-server {least} or newer, with JetStream (deploy/nats/nats.conf)")
    return well(part, found)


class _Timed(msgspec.Struct):
    ts: datetime | None = None


async def _clock(connection: Client) -> list[Finding]:
    try:
        answer = await connection.request(f"$JS.API.STREAM.INFO.{ORDERS_STREAM}")
    except nats.errors.TimeoutError:  # as a user who may not ask
        return []
    now = msgspec.json.decode(answer.data, type=_Timed).ts
    if now is None:  # there is no such stream
        return []
    return [clock("bus", now)]


async def _space(jetstream: JetStreamContext) -> list[Finding]:
    try:
        account = await jetstream.account_info()
    except nats.errors.TimeoutError:  # as a user who may not ask
        return []
    used, limit = account.storage, account.limits.max_storage
    found = f"{used // 1024**2} MB stored" + (f" of {limit // 1024**2} MB" if limit > 0 else "")
    if limit > 0 and used > NEARLY_FULL * limit:
        return [ill("bus", found, "raise max_file_store and the disk, or shorten the streams' max_age")]
    return [well("bus", found)]


async def _workers(jetstream: JetStreamContext, accounts: Sequence[str]) -> list[Finding]:
    try:
        leases = await bucket_messages(jetstream, STATE_BUCKET, "replica.*")
        state = await read_bus_state(jetstream)
    except (TimeoutError, nats.js.errors.NotFoundError, msgspec.MsgspecError, nats.errors.Error):
        return []  # what the streams lack, or may not be read, was said above
    versions = [(one.headers or {}).get(REPLICA_VERSION, "unknown") for one in leases.values() if one.data]
    if not versions:
        return [note("reconciler", "none runs", "start it: until then nothing is followed")]
    findings = [_replicas(versions)]
    followed = {one.account for one in state.accounts}
    findings += [
        ill("reconciler", f"does not follow {account} yet", "is it in FILLPROOF_ACCOUNTS? See its log")
        for account in accounts
        if account not in followed
    ]
    if not is_well(state):
        findings.append(note("accounts", "something waits for you", "fillproof status"))
    return findings


def _replicas(versions: Sequence[str]) -> Finding:
    mine = version("fillproof-console")
    found = f"{len(versions)} run, version {', '.join(sorted(set(versions)))}"
    if set(versions) != {mine}:
        return note("reconciler", f"{found}; this is {mine}", "run one version of all parts")
    return well("reconciler", found)
