"""What `demo` and `run` have in common: the local stack with its streams, its database and its watcher."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from local_stack import Child, LocalStack, check_interrupts, noted_interrupts, patience
from service_kit.connection import connect
from service_kit.settings import StreamSettings
from service_kit.streams import provision

POLL_SECONDS = 0.1


@contextlib.contextmanager
def local_stack(*, data_dir: Path | None, nats_port: int, postgres_port: int) -> Iterator[LocalStack]:
    """Start NATS, PostgreSQL (migrated) and the audit writer; end them whatever ends us.

    Raises:
        StackError: a port is taken, a directory can't be written, a server or the writer does not start.
        Interrupted: Ctrl-C or TERM.

    """
    with (
        noted_interrupts(),
        LocalStack.start(data_dir, nats_port=nats_port, postgres_port=postgres_port) as stack,
    ):
        stack.migrate()
        asyncio.run(_provision(stack.nats_url))
        yield stack


def start_audit_writer(stack: LocalStack) -> Child:
    """Start the audit writer and wait until it is ready."""
    writer = stack.spawn(
        "audit_writer",
        env={"FILLPROOF_NATS_URL": stack.nats_url},
        secret={"FILLPROOF_DATABASE_URL": stack.postgres_dsn("audit_writer")},
    )
    writer.wait_ready()
    return writer


def metrics(url: str) -> dict[str, float]:
    """Return a service's metrics that have no labels, by name."""
    return {sample.name: sample.value for sample in read_metrics(url) if not sample.labels}


def read_metrics(url: str) -> list[Sample]:
    """Return a service's metrics."""
    with urlopen(f"{url}/metrics", timeout=patience()) as answer:  # noqa: S310 - our own service on the loopback interface
        text = answer.read().decode()
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def wait_for_interrupt() -> NoReturn:
    """Wait for Ctrl-C or TERM and raise it as Interrupted."""
    while True:
        check_interrupts()
        time.sleep(POLL_SECONDS)


async def _provision(nats_url: str) -> None:
    connection = await connect(nats_url)
    try:
        await provision(connection.jetstream(), StreamSettings())
    finally:
        await connection.close()
