"""The reconciler on a real NATS and a replay node: its own wiring, in this process or in one of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import msgspec
import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.kv import KeyValue
from on_the_bus import stored_events
from waiting import limit, until_found

from console.engine import announcements, engine_accounts
from console.lines import OrderLine, order_lines
from order_events import encode
from order_events.subjects import ENGINE_STREAM, STATE_BUCKET, engine_subject
from reconciler.adapters.event_publishers import orders_publishers
from reconciler.adapters.proofs_bus import proofs_publisher
from reconciler.composition import DeclaredPublishers
from reconciler.health import LedgerHealth
from reconciler.main import work
from reconciler.metrics import Metrics
from reconciler.settings import ReconcilerSettings
from replay_node.session import Session
from service_kit import make_broker


class _Cursor(msgspec.Struct):
    ledger_index: int


class _KeptAccount(msgspec.Struct):
    record: _Cursor


def environment(nats_url: str, node_url: str, session: Session, **more: object) -> dict[str, str]:
    """Return the reconciler's settings for a session, as environment variables."""
    settings = {
        "NATS_URL": nats_url,
        "XRPL_URLS": node_url.replace("http:", "ws:"),
        "ACCOUNTS": ",".join(engine_accounts(session)),
        "START_LEDGER": session.ledgers[0].ledger_index,
        "POLL_SECONDS": 0.2,
        **more,
    }
    return {f"FILLPROOF_{name}": str(value) for name, value in settings.items()}


@contextlib.asynccontextmanager
async def following(variables: Mapping[str, str]) -> AsyncIterator[asyncio.Task[None]]:
    """Follow inside this process, wired by the reconciler's own `main`."""
    values = {name.removeprefix("FILLPROOF_").lower(): value for name, value in variables.items()}
    settings = ReconcilerSettings.model_validate(values)
    broker = make_broker(settings.nats_url)
    await broker.connect()
    publishers = DeclaredPublishers(orders=orders_publishers(broker), proofs=proofs_publisher(broker))
    task = asyncio.create_task(work(settings, broker, Metrics(), LedgerHealth(), publishers))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        await broker.stop()


async def announce(jetstream: JetStreamContext, session: Session) -> None:
    """Say what the session's engine said."""
    for event in announcements(session):
        await jetstream.publish(engine_subject(event), encode(event), stream=ENGINE_STREAM)


async def cursors(client: Client, session: Session) -> list[int]:
    """Return the committed cursors of the session's accounts; 0: not adopted yet."""
    bucket = await client.jetstream(timeout=limit()).key_value(STATE_BUCKET)
    return [await _cursor(bucket, account) for account in engine_accounts(session)]


async def until_followed(client: Client, session: Session, ledger_index: int | None = None) -> None:
    """Wait until all accounts are committed up to a ledger; by default the session's last."""
    last = session.ledgers[-1].ledger_index if ledger_index is None else ledger_index
    bucket = await client.jetstream(timeout=limit()).key_value(STATE_BUCKET)
    for account in engine_accounts(session):

        async def followed(account: str = account) -> bool:
            return await _cursor(bucket, account) >= last

        await until_found(followed)


async def _cursor(bucket: KeyValue, account: str) -> int:
    try:
        entry = await bucket.get(f"0.{account}.account")
    except nats.js.errors.KeyNotFoundError:
        return 0
    return msgspec.json.decode(entry.value or b"", type=_KeptAccount).record.ledger_index


async def lines(jetstream: JetStreamContext, session: Session) -> list[OrderLine]:
    """Return what the events on the bus say became of each of the session's orders."""
    return list(order_lines(session.name, session.orders, await stored_events(jetstream)))
