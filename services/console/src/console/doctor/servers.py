"""The ledger's servers: version, history, limits and clocks, and whether they know the accounts."""

import asyncio
import random
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from console.asking import ANSWER_SECONDS, checked_url
from console.doctor.encryption import certificate_end, encryption
from console.doctor.findings import Finding, ill, note, well
from console.errors import BadOption
from ledger_client import (
    LedgerServer,
    Overloaded,
    PatientServer,
    ServerError,
    ServerStatus,
    account_root,
    ask,
    connect,
    ledger_header,
    server_status,
)
from offer_lifecycle import ripple_time_to_datetime

_OLD_SECONDS = 20.0
_CLOCK_SECONDS = 10.0
_SLOW_SECONDS = 2.0
_HISTORY_LEDGERS = 20_000
"""About a day: what a reconciler that was away for a night needs."""
_LEAST_MAJOR = 2
"""rippled and Clio from 2.0 on know api_version 2."""
_BUSY_LOAD = 4.0
"""Times the usual fee: a server asks that much when it sheds load."""
_ENCRYPTED = {"wss": 443, "https": 443}
"""Schemes, and the port where the URL names none."""

_Version = Annotated[str, msgspec.Meta(max_length=64)]


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """A server's findings, and what is compared among servers."""

    findings: Sequence[Finding]
    name: str = ""
    network_id: int | None = None
    """None: it did not say."""


async def examine_server(url: str, accounts: Sequence[str]) -> Examined:
    """Ask the server what following the accounts, by their addresses, would ask."""
    try:
        url = checked_url(url)
    except BadOption as error:
        return Examined(findings=[ill("settings", str(error), "correct --xrpl or FILLPROOF_XRPL_URLS")])
    counted = _CountedServer(connect(url, timeout=ANSWER_SECONDS))
    server = PatientServer(counted, chance=random.random, pause=asyncio.sleep)
    name = server.name
    try:
        asked = time.monotonic()
        status = await server_status(server)
        took = time.monotonic() - asked
        info = (await ask(server, "server_info", _ServerInfo)).info
        header = await ledger_header(server, status.validated)
        findings = [
            well(name, f"network {status.network_id}, ledger {status.validated}"),
            _version(name, info),
            await _encryption(name, url),
            _answer_time(name, took),
            _clock(name, header.close_time),
            _history(name, status),
            *[await _knows(server, account, status.validated) for account in accounts],
            _limits(counted, info),
        ]
        return Examined(findings=findings, name=name, network_id=status.network_id)
    except Overloaded as error:
        advice = "set FILLPROOF_REQUESTS_PER_MINUTE, or name a server of your own"
        return Examined(findings=[ill(name, f"turns requests away: {error.problem}", advice)])
    except ServerError as error:
        advice = "correct the URL, or name another server beside it"
        return Examined(findings=[ill(name, error.problem, advice)])
    finally:
        await server.close()


def compare_servers(examined: Sequence[Examined]) -> list[Finding]:
    """Say whether the servers that answered are on one network, and whether they can confirm each other."""
    answered = [one for one in examined if one.network_id is not None]
    if len({one.network_id for one in answered}) > 1:
        found = ", ".join(f"{one.name} is on network {one.network_id}" for one in answered)
        return [ill("servers", found, "name servers of one network; FILLPROOF_NETWORK_ID holds them to it")]
    if len(examined) == 1:
        advice = "name a second one; until then its word is proven, and confirmed by nobody else"
        return [note("servers", "one server", advice)]
    return []


class _Info(msgspec.Struct):
    build_version: _Version = ""
    clio_version: _Version = ""
    amendment_blocked: bool = False
    load_factor: float = 1.0


class _ServerInfo(msgspec.Struct):
    info: _Info


class _CountedServer:
    """Passes everything on and counts what was asked, and how often the server turned a request away."""

    def __init__(self, server: LedgerServer) -> None:
        self._server = server
        self.asked = 0
        self.turned_away = 0

    @property
    def name(self) -> str:
        return self._server.name

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        self.asked += 1
        try:
            return await self._server.request(method, **params)
        except Overloaded:
            self.turned_away += 1
            raise

    async def close(self) -> None:
        await self._server.close()


def _version(name: str, info: _Info) -> Finding:
    software, number = ("Clio", info.clio_version) if info.clio_version else ("rippled", info.build_version)
    found = f"{software} {number or 'of an unknown version'}"
    if info.amendment_blocked:
        advice = "name another server: this one is too old for the network's rules, and follows it no more"
        return ill(name, f"{found}, blocked by an amendment", advice)
    major = re.match(r"\d+", number)
    if major is None or int(major[0]) < _LEAST_MAJOR:
        return note(name, f"{found}, expected {_LEAST_MAJOR}.0 or newer", "name a server that is up to date")
    return well(name, found)


async def _encryption(name: str, url: str) -> Finding:
    parts = urlsplit(url)
    host, encrypted = parts.hostname or "", parts.scheme in _ENCRYPTED
    ends = await certificate_end(host, parts.port or _ENCRYPTED[parts.scheme]) if encrypted else None
    return encryption(name, host, ends, encrypted=encrypted)


def _answer_time(name: str, took: float) -> Finding:
    found = f"answers in {took:.2f} s"
    if took > _SLOW_SECONDS:
        return note(name, found, "name a server that is nearer, or less busy")
    return well(name, found)


def _clock(name: str, close_time: int) -> Finding:
    age = (datetime.now(UTC) - ripple_time_to_datetime(close_time)).total_seconds()
    found = f"newest ledger closed {age:.0f} s ago by this machine's clock"
    if age < -_CLOCK_SECONDS:
        return ill(name, found, "set this machine's clock: it is behind the ledger's")
    if age > _OLD_SECONDS:
        return ill(name, found, "name another server, or set this machine's clock if it is ahead")
    return well(name, found)


def _history(name: str, status: ServerStatus) -> Finding:
    validated = status.validated
    begins = next((low for low, high in status.complete if low <= validated <= high), validated)
    found = f"history: ledgers {status.held}"
    if validated - begins < _HISTORY_LEDGERS:
        advice = "a reconciler that was away for longer than that finds a gap: name a server with more"
        return note(name, found, advice)
    return well(name, found)


def _limits(server: _CountedServer, info: _Info) -> Finding:
    found = f"load factor {info.load_factor:g}, {server.asked} requests, {server.turned_away} turned away"
    if server.turned_away:
        return note(
            server.name,
            found,
            "set FILLPROOF_REQUESTS_PER_MINUTE below its limit, or name a server of your own",
        )
    if info.load_factor >= _BUSY_LOAD:
        return note(server.name, found, "it is busy: name a second server beside it")
    return well(server.name, found)


async def _knows(server: LedgerServer, address: str, ledger_index: int) -> Finding:
    if await account_root(server, address, ledger_index) is None:
        return ill(server.name, f"no account {address}", "is it funded, and is this the right network?")
    return well(server.name, f"knows {address}")
