"""The examination of a deployment, part by part, before and after it is started."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from console.asking import checked_address
from console.doctor.bus import examine_bus
from console.doctor.database import examine_database
from console.doctor.findings import Finding, ill, note, well
from console.doctor.machine import packages, space
from console.doctor.servers import Examined, compare_servers, examine_server
from console.errors import BadOption

_Result = TypeVar("_Result")


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at; what is not named is passed over."""

    xrpl_urls: Sequence[str] = ()
    accounts: Sequence[str] = ()
    nats_url: str | None = None
    database: str | None = None
    data_dir: Path | None = None


async def diagnose(deployment: Deployment) -> AsyncIterator[Finding]:
    """Yield what is found, part by part; all parts are looked at together."""
    addresses, settings = _accounts(deployment.accounts)
    servers = [_started(examine_server(url, addresses)) for url in deployment.xrpl_urls]
    rest: list[asyncio.Task[list[Finding]]] = []
    if deployment.nats_url is not None:
        rest.append(_started(examine_bus(deployment.nats_url, addresses)))
    if deployment.database is not None:
        rest.append(_started(examine_database(deployment.database)))
    for finding in (*packages(), space(deployment.data_dir), *settings):
        yield finding
    examined: list[Examined] = []
    for server in servers:
        examined.append(await server)
        for finding in examined[-1].findings:
            yield finding
    for finding in compare_servers(examined):
        yield finding
    for part in rest:
        for finding in await part:
            yield finding
    if not (servers or rest):
        yield note(
            "deployment",
            "no server, bus or database was named",
            "name what there is: --xrpl, --account, --nats, --database",
        )


def _started(examination: Coroutine[Any, Any, _Result]) -> "asyncio.Task[_Result]":
    return asyncio.create_task(examination)


def _accounts(named: Sequence[str]) -> tuple[list[str], list[Finding]]:
    """Return the addresses that are some, and what is found of all."""
    addresses, findings = [], []
    for account in named:
        try:
            addresses.append(checked_address(account))
        except BadOption as error:
            findings.append(ill("settings", str(error), "correct --account or FILLPROOF_ACCOUNTS"))
        else:
            findings.append(well("settings", f"account {addresses[-1]}"))
    return addresses, findings
