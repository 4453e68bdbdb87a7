"""`fillproof run`: the embedded stack against a real node, for real accounts, until Ctrl-C."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import msgspec
import nats
from nats.aio.msg import Msg
from nats.js.api import DeliverPolicy
from rich.console import Console
from rich.text import Text

from console.asking import checked_address, server_at
from console.errors import BadOption
from console.stack import POLL_SECONDS, local_stack, metrics, start_audit_writer
from console.tables import quoted
from ledger_client import ServerError, account_root, server_status
from local_stack import LocalStack, check_interrupts
from offer_lifecycle import format_decimal
from order_events import Malformed, OrderDisappeared, OrderEvent, OrderFilled, decode
from order_events.subjects import ORDERS_STREAM

PROGRESS_SECONDS = 2.0
FALLEN_BEHIND = 2
"""Ledgers: a lag of one or two is a ledger on its way."""


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
        jetstream = connection.jetstream()
        told_before = (await jetstream.stream_info(ORDERS_STREAM)).state.last_seq
        events = await jetstream.subscribe(
            "order.>", stream=ORDERS_STREAM, ordered_consumer=True, deliver_policy=DeliverPolicy.NEW
        )
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
        await asyncio.gather(
            _tell_progress(stack, reconciler_url, console),
            tell_events(events.messages, told_before, console),
            _end_when_interrupted(),
        )
    finally:
        await connection.close()


async def _end_when_interrupted() -> NoReturn:
    while True:
        check_interrupts()
        await asyncio.sleep(POLL_SECONDS)


async def _tell_progress(stack: LocalStack, reconciler_url: str, console: Console) -> None:
    """Say how far behind the accounts are until they are not, and again if they fall behind."""
    said = ""
    while True:
        stack.check()
        now = await asyncio.to_thread(metrics, reconciler_url)
        validated, lag = int(now["reconciler_validated_ledger"]), int(now["reconciler_cursor_lag_ledgers"])
        if not validated:
            say = "waiting for the first validated ledger"
        elif lag > FALLEN_BEHIND:
            say = f"catching up with ledger {validated}: {lag} ledgers to go"
        else:
            say = "following every ledger as it closes"
        if say != said:
            console.print(say)
            said = say
        await asyncio.sleep(PROGRESS_SECONDS)


async def tell_events(messages: AsyncIterator[Msg], told_before: int, console: Console) -> None:
    """Print the events that stand in the stream after the sequence `told_before`.

    A subscription whose server falls silent before the first event begins again at the stream's first one.
    """
    async for message in messages:
        if message.metadata.sequence.stream <= told_before:
            continue
        try:
            event = decode(message.data)
        except Malformed as error:
            console.print(f"unreadable event on {message.subject}: {error}", style="red")
            continue
        if isinstance(event, OrderEvent):
            console.print(told(event), soft_wrap=True)


def told(event: OrderEvent) -> Text:
    """Write an event as one line."""
    what = str(event.__struct_config__.tag)
    text = Text(f"{event.occurred_at:%Y-%m-%d %H:%M:%S}Z  {event.account}  order {event.sequence}  {what:18}")
    text.append(f" {event.status}")
    if isinstance(event, OrderFilled):
        text.append(
            f"  gave {quoted(event.gave)} for {quoted(event.got)}, {format_decimal(event.leaves_qty)} left"
        )
    elif event.removal_reason is not None:
        text.append(f"  {event.removal_reason}")
    if event.removed_by is not None:
        text.append(f"  by {event.removed_by}")
    if isinstance(event, OrderDisappeared) and event.anomaly:
        text.append("  anomaly", style="bold red")
    return text


def _say_where(stack: LocalStack, reconciler_url: str, console: Console) -> None:
    started = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    console.print(
        f"Following since {started}Z; Ctrl-C ends it. Meanwhile you can look at\n"
        f"  the orders and anomalies   psql {stack.postgres_dsn('grafana_reader')}\n"
        f"  the bus                    {stack.nats_monitoring_url}/jsz?streams=1\n"
        f"  the reconciler             {reconciler_url}/health/ready and {reconciler_url}/metrics\n"
        f"  the services' logs         {stack.log_dir}",
        soft_wrap=True,
    )
