"""`fillproof run`: the embedded stack against a real node, for real accounts, until Ctrl-C."""

import asyncio
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import nats
from rich.console import Console

from console.asking import checked_address, checked_url, server_at
from console.errors import BadOption
from console.invocation import pasteable
from console.live.event_feed import EventFeed
from console.live.following import FollowingWatch
from console.live.screen import RunScreen
from console.stack import POLL_SECONDS, local_stack, read_metrics, start_audit_writer
from ledger_client import ServerError, account_root, server_status
from local_stack import LocalStack, check_interrupts

STATUS_SECONDS = 2.0
ANSWER_SECONDS = 10.0
"""A reconciler that answers later than that is said to be silent."""
DURABLE = "fillproof-run"
"""Keeps, with the data directory, the place up to which events were shown."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Where the stack keeps its data and listens."""

    data_dir: Path | None
    nats_port: int
    postgres_port: int


def run(urls: list[str], accounts: list[str], options: Options, console: Console) -> None:
    """Follow the accounts and print what happens to their orders.

    Raises:
        Interrupted: Ctrl-C or TERM; nothing else ends it.
        BadOption: before anything is started.
        StackError: a port is taken, a directory can't be written, a part does not start or dies.

    """
    followed = [checked_address(account) for account in accounts]
    urls = [checked_url(url) for url in urls]
    asyncio.run(_ask_servers(urls, followed, console))
    with local_stack(
        data_dir=options.data_dir, nats_port=options.nats_port, postgres_port=options.postgres_port
    ) as stack:
        start_audit_writer(stack)
        asyncio.run(_follow(stack, urls, followed, console))


async def _ask_servers(urls: list[str], accounts: list[str], console: Console) -> None:
    """Check that a server answers and that it knows the accounts."""
    silent: list[str] = []
    for url in urls:
        server = server_at(url)
        try:
            newest = (await server_status(server)).validated
            for account in accounts:
                if await account_root(server, account, newest) is None:
                    raise BadOption(
                        f"expected an account that exists, found none at {account} on {server.name}: "
                        "is it funded, and is this the right network?"
                    )
        except ServerError as error:
            silent.append(f"{error.server} ({error.problem})")
        finally:
            await server.close()
    if len(silent) == len(urls):
        raise BadOption(f"expected an XRP Ledger node that answers, found none at {', '.join(silent)}")
    for problem in silent:
        console.print(f"No answer from {problem}; the others are used until it is back.", style="yellow")


async def _follow(stack: LocalStack, urls: list[str], accounts: list[str], console: Console) -> None:
    connection = await nats.connect(stack.nats_url)
    try:
        feed = await EventFeed.opened(connection.jetstream(), DURABLE, time.monotonic)
        reconciler = stack.spawn(
            "reconciler",
            env={
                "FILLPROOF_NATS_URL": stack.nats_url,
                "FILLPROOF_XRPL_URLS": ",".join(urls),
                "FILLPROOF_ACCOUNTS": ",".join(accounts),
            },
        )
        reconciler_url = reconciler.wait_listening()
        _say_where(stack, reconciler_url, console)
        with RunScreen(console) as screen:
            try:
                await _first_end_of(
                    _show_status(stack, reconciler_url, screen),
                    _show_events(feed, screen),
                    _end_when_interrupted(),
                )
            finally:
                for event in await feed.end():
                    screen.show_event(event)
    finally:
        await connection.close()


async def _first_end_of(*parts: Coroutine[Any, Any, None]) -> None:
    """Run them at once until one of them ends, and end the others before anything is closed."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _end_when_interrupted() -> NoReturn:
    while True:
        check_interrupts()
        await asyncio.sleep(POLL_SECONDS)


async def _show_events(feed: EventFeed, screen: RunScreen) -> None:
    async for event in feed.read():
        screen.show_event(event)


async def _show_status(stack: LocalStack, reconciler_url: str, screen: RunScreen) -> None:
    watch = FollowingWatch()
    while True:
        stack.check()
        reading = asyncio.create_task(asyncio.to_thread(read_metrics, reconciler_url))
        answered, _ = await asyncio.wait({reading}, timeout=ANSWER_SECONDS)
        if not answered:
            screen.show_silence(ANSWER_SECONDS)
        screen.show_status(watch.look(await reading, time.monotonic()))
        await asyncio.sleep(STATUS_SECONDS)


def _say_where(stack: LocalStack, reconciler_url: str, console: Console) -> None:
    started = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    console.print(
        f"Started {started}Z; Ctrl-C ends it. Meanwhile you can look at\n"
        f"  the orders and anomalies   {stack.psql_command('grafana_reader')}\n"
        f"  the bus                    {stack.nats_monitoring_url}/jsz?streams=1\n"
        f"  how it is                  {pasteable('status', '--nats', stack.nats_url)}\n"
        f"  the reconciler             {reconciler_url}/health/ready and {reconciler_url}/metrics\n"
        f"  the services' logs         {stack.log_dir}",
        soft_wrap=True,
    )
