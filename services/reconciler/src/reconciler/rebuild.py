"""The one-shot rebuild, `python -m reconciler.rebuild`: publishes the events of a range of ledgers again.

One line of JSON for each account goes to standard output, progress to standard error.
"""

import asyncio
import sys

import msgspec
import nats.errors
import nats.js.errors
from faststream.nats import NatsBroker
from pydantic import Field, model_validator

from ledger_client import LedgerServer, ServerError, connect, server_status
from order_events.subjects import REDELIVERY_STREAM
from reconciler.adapters.event_publishers import redelivery_publishers
from reconciler.adapters.proofs_bus import proofs_publisher
from reconciler.backfill.range_rebuild import LedgerRange, NotRebuilt
from reconciler.composition import rebuild_account
from reconciler.fleet.wakeup import Wakeup
from reconciler.following.stored_account import StateUnreadable
from reconciler.settings import ReconcilerSettings
from service_kit import Unavailable, load_settings, make_broker, set_up_logs
from service_kit.broker import connect_broker
from service_kit.errors import FAILURE_STATUS

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""


class RebuildSettings(ReconcilerSettings):
    """The reconciler's settings, and the ledgers whose events are wanted, both ends included."""

    first_ledger: int = Field(gt=1)
    last_ledger: int = Field(gt=1)

    @model_validator(mode="after")
    def _forward(self) -> "RebuildSettings":
        if self.first_ledger > self.last_ledger:
            raise ValueError(
                f"expected the first ledger before the last one, found {self.first_ledger} and "
                f"{self.last_ledger}: turn them round"
            )
        return self


def main() -> int:
    """Rebuild, and return the exit status: 0 all is published, 1 not all could be, 2 wrong settings."""
    settings = load_settings(RebuildSettings)
    set_up_logs("reconciler-rebuild", settings)
    try:
        asyncio.run(rebuild_all(settings))
    except (NotRebuilt, StateUnreadable, Unavailable) as error:
        sys.stderr.write(f"{error}\n")
        return FAILURE_STATUS
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


async def rebuild_all(settings: RebuildSettings) -> None:
    """Rebuild one account after the other, and write a line to standard output when each is done.

    Raises:
        NotRebuilt, StateUnreadable: for an account; the accounts before it are done.
        Unavailable: NATS does not answer, or has no streams.

    """
    broker = make_broker(settings.nats_url)
    publishers, proofs = redelivery_publishers(broker), proofs_publisher(broker)
    await connect_broker(broker, settings.nats_url)
    wakeup = Wakeup(poll_seconds=settings.poll_seconds)
    servers = [
        connect(url, on_ledger_closed=lambda _ledger_index: wakeup.notify()) for url in settings.xrpl_urls
    ]
    wanted = LedgerRange(first=settings.first_ledger, last=settings.last_ledger)
    try:
        await _check_stream(broker)
        network_id = await _network_id(servers)
        for account in settings.accounts:
            result = await rebuild_account(
                account,
                network_id=network_id,
                wanted=wanted,
                subject_without_account=settings.subjects_without_account,
                broker=broker,
                publishers=publishers,
                proofs=proofs,
                servers=servers,
            )
            sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
            sys.stdout.flush()
    finally:
        for server in servers:
            await server.close()
        await broker.stop()


async def _network_id(servers: list[LedgerServer]) -> int:
    problems = []
    for server in servers:
        try:
            return (await server_status(server)).network_id
        except ServerError as error:
            problems.append(str(error))
    raise NotRebuilt(f"expected an XRP Ledger node that answers, found none: {'; '.join(problems)}")


async def _check_stream(broker: NatsBroker) -> None:
    try:
        await broker.connection.jetstream().stream_info(REDELIVERY_STREAM)
    except (nats.js.errors.NotFoundError, nats.errors.NoRespondersError) as error:
        raise Unavailable(f"NATS has no stream {REDELIVERY_STREAM}: provision the streams first") from error


if __name__ == "__main__":
    sys.exit(main())
