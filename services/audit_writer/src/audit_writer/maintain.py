"""The step that keeps the months of `order_event`: `python -m audit_writer.maintain`, once or `--daily`.

Makes this month's partition and those ahead, moves what arrived before its month was made, drops what is
older than the retention as a signed act of the operator, and notes what the database may take on disk.
Running it again, or several at once, changes nothing more.

Somebody who reads in a long transaction holds it up, and whoever waits behind it: so it waits for a moment
only, lets the writers pass and tries again.
"""

import asyncio
import contextlib
import random
import signal
import sys
from datetime import UTC, datetime
from functools import partial
from typing import NoReturn

import asyncpg

from audit_log import Retention, due_before, read_signing_key, sign_act
from audit_writer.settings import MaintenanceSettings
from retries import Backoff, retry
from service_kit import load_settings
from service_kit.database_access import DatabaseAccess

FAILED = 1
DAILY = "--daily"
DAY_SECONDS = 24 * 60 * 60.0
OUTAGES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
CONNECT_SECONDS = 5.0
LOCK_TIMEOUT = "1s"
"""Writers queue behind a step that waits for the table."""
ATTEMPTS = 30
_UNSIGNED_MONTHS = """
    SELECT DISTINCT to_char(dropped_from AT TIME ZONE 'UTC', 'YYYY-MM')
    FROM batch_digest WHERE dropped_from IS NOT NULL
"""
_DROP = "DELETE FROM {table} WHERE occurred_at < now() - make_interval(days => $1)"
_BACKOFF = Backoff(shortest=1.0, longest=10.0)
"""Thirty attempts take some four minutes; each ends the reader's sessions that may be ended by then."""


def main() -> int:
    """Say on standard output what was made and dropped; returns the exit status."""
    settings = load_settings(MaintenanceSettings)
    if DAILY in sys.argv[1:]:
        # without a handler the first process of a container ignores TERM
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        asyncio.run(maintain_daily(settings))
    return asyncio.run(maintain_once(settings))


async def maintain_daily(settings: MaintenanceSettings, *, pause_seconds: float = DAY_SECONDS) -> NoReturn:
    """Run the step at once and then after each pause, also after one that failed."""
    while True:
        await maintain_once(settings)
        await asyncio.sleep(pause_seconds)


async def maintain_once(settings: MaintenanceSettings) -> int:
    """Run the step and say what it did; returns the exit status."""
    try:
        made, dropped = await maintain_patiently(settings)
    except OUTAGES as error:
        said = load_settings(DatabaseAccess).explained(error)
        sys.stderr.write(f"the months of order_event are as they were: {said}\n")
        return FAILED
    for verb, names in (("made", made), ("dropped", dropped)):
        sys.stdout.writelines(f"{verb} {name}\n" for name in names)
    return 0


async def maintain_patiently(settings: MaintenanceSettings) -> tuple[list[str], list[str]]:
    """Return the names of the partitions made and dropped; a table that is busy is tried again for minutes.

    Raises:
        As :func:`maintain`.

    """
    return await retry(
        partial(maintain, settings),
        on=(asyncpg.LockNotAvailableError,),
        backoff=_BACKOFF,
        chance=random.random,
        attempts=ATTEMPTS,
    )


async def maintain(settings: MaintenanceSettings) -> tuple[list[str], list[str]]:
    """Return the names of the partitions made and dropped.

    Raises:
        asyncpg.PostgresError: the database refuses, or the table is busy; nothing was changed.
        asyncpg.InterfaceError: the connection broke.
        OSError: nobody answers there.
        TimeoutError: nobody answered in 5 s.

    """
    connection = await asyncpg.connect(
        settings.owner_database_url.get_secret_value(),
        ssl=load_settings(DatabaseAccess).tls(),
        timeout=CONNECT_SECONDS,
        statement_cache_size=0,  # a pooler may give the next transaction another session
        server_settings={"application_name": "fillproof-maintain"},
    )
    try:
        with contextlib.suppress(asyncpg.InsufficientPrivilegeError):  # which the migration has warned of
            await connection.execute("SELECT end_reader_sessions()")
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            made = await connection.fetch("SELECT ensure_partitions($1)", settings.months_ahead)
            dropped = await _drop_months(connection, settings)
            dropped += await _drop_proofs(connection, settings.proof_retention_days)
            await connection.execute("UPDATE database_limit SET bytes = $1", settings.database_limit_bytes)
    finally:
        await connection.close()
    return [row[0] for row in made], dropped


async def _drop_months(connection: asyncpg.Connection, settings: MaintenanceSettings) -> list[str]:
    """Drop the months that are due, and have the operator's key sign for them."""
    keep, written_key = settings.retention_months, settings.operator_signing_key
    if keep is None or written_key is None:
        return []
    key, now = read_signing_key(written_key.get_secret_value()), datetime.now(UTC).replace(microsecond=0)
    due = {row[0] for row in await connection.fetch("SELECT due_months($1)", keep)}
    if settings.sign_earlier_retention:
        due |= {row[0] for row in await connection.fetch(_UNSIGNED_MONTHS)}
    months = sorted(month for month in due if month < due_before(now, keep))
    if not months:
        return []
    act = Retention(operator=key.name, time=now, keep=keep, months=tuple(months))
    rows = await connection.fetch("SELECT drop_months($1, $2)", months, sign_act(act, key))
    return [row[0] for row in rows]


async def _drop_proofs(connection: asyncpg.Connection, keep: int | None) -> list[str]:
    """Drop proofs of ledgers that closed more days ago; the lists of validators are kept for ever."""
    if keep is None:
        return []
    await connection.execute(_DROP.format(table="proven_order"), keep)
    await connection.execute(_DROP.format(table="proven_transaction"), keep)
    done = await connection.execute(_DROP.format(table="ledger_proof"), keep)
    count = int(done.removeprefix("DELETE "))
    return [f"{count} proofs of ledgers"] if count else []


if __name__ == "__main__":
    sys.exit(main())
