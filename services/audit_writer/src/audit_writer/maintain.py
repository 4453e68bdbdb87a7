"""The one-shot step that keeps the months of `order_event`: `python -m audit_writer.maintain`, once a day.

Makes this month's partition and those ahead, moves what arrived before its month was made, drops what is
older than the retention, and notes what the database may take on disk. Running it again, or several at once,
changes nothing more.
"""

import asyncio
import sys

import asyncpg

from audit_writer.settings import MaintenanceSettings
from service_kit import load_settings

FAILED = 1
CONNECT_SECONDS = 5.0
LOCK_TIMEOUT = "30s"
"""Writers queue behind a step that waits for the table, so it gives up when somebody reads for that long."""


def main() -> int:
    """Say on standard output what was made and dropped; returns the exit status."""
    settings = load_settings(MaintenanceSettings)
    try:
        made, dropped = asyncio.run(maintain(settings))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        sys.stderr.write(f"the months of order_event are as they were: {error!s}\n")
        return FAILED
    for verb, names in (("made", made), ("dropped", dropped)):
        sys.stdout.writelines(f"{verb} {name}\n" for name in names)
    return 0


async def maintain(settings: MaintenanceSettings) -> tuple[list[str], list[str]]:
    """Return the names of the partitions made and dropped.

    Raises:
        asyncpg.PostgresError: the database refuses, or the table was busy for 30 s; nothing was changed.
        asyncpg.InterfaceError: the connection broke.
        OSError: nobody answers there.
        TimeoutError: nobody answered in 5 s.

    """
    connection = await asyncpg.connect(
        settings.owner_database_url.get_secret_value(),
        timeout=CONNECT_SECONDS,
        server_settings={"application_name": "fillproof-maintain", "lock_timeout": LOCK_TIMEOUT},
    )
    try:
        async with connection.transaction():
            made = await connection.fetch("SELECT ensure_partitions($1)", settings.months_ahead)
            dropped = []
            if settings.retention_months is not None:
                dropped = await connection.fetch("SELECT drop_partitions($1)", settings.retention_months)
            await connection.execute("UPDATE database_limit SET bytes = $1", settings.database_limit_bytes)
    finally:
        await connection.close()
    return [row[0] for row in made], [row[0] for row in dropped]


if __name__ == "__main__":
    sys.exit(main())
