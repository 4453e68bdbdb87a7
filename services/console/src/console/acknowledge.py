"""`fillproof ack`: somebody has looked at an anomaly, and says why it needs no more."""

import asyncio
from collections.abc import Sequence
from datetime import UTC

import asyncpg
import msgspec
from rich.console import Console

from console.errors import BadOption
from console.fitted_tables import Column, print_table
from console.proof.connecting import NO_DATABASE, no_database, open_connection
from console.tables import printable

MAY_NOT = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.UndefinedTableError,
)

_KNOWN = """
    SELECT event_id, cause, account, sequence, acknowledged_at, acknowledged_by, note
    FROM dashboard.anomaly WHERE event_id = ANY ($1::text[])
    ORDER BY detected_at, event_id
"""
_OPEN = """
    SELECT event_id || ' (' || cause || ', order ' || sequence || ' of ' || account || ')'
    FROM dashboard.anomaly WHERE state = 'open'
    ORDER BY detected_at DESC, event_id LIMIT 10
"""
_ACKNOWLEDGE = """
    INSERT INTO public.anomaly_acknowledgement (event_id, acknowledged_by, note)
    SELECT event_id, $2, $3 FROM unnest($1::text[]) AS event_id
    ON CONFLICT DO NOTHING
"""


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """An anomaly, and what stands on record of it."""

    event_id: str
    cause: str
    account: str
    sequence: int
    by: str
    at: str
    """UTC."""
    note: str


def acknowledge(database: str, anomalies: Sequence[str], *, by: str, note: str) -> list[Acknowledged]:
    """Acknowledge the anomalies, all or none, and return what then stands on record of each.

    Of one that was acknowledged before, the first word stays.

    Raises:
        BadOption: no name or note, an id that no anomaly has, a database that does not answer or a role
            that may not.

    """
    if not by.strip() or not note.strip():
        raise BadOption("expected who acknowledges (--by) and why (--note), found an empty one")
    ids = list(dict.fromkeys(anomaly.strip().lower() for anomaly in anomalies))
    try:
        return asyncio.run(_acknowledge(database, ids, by.strip(), note.strip()))
    except MAY_NOT as error:
        raise BadOption(
            "expected migrated audit tables and their owner or a member of fillproof_operator, "
            f"found: {error}"
        ) from error
    except BadOption:  # a ValueError itself, as what a bad address is
        raise
    except NO_DATABASE as error:
        raise no_database(error, database, role="role") from error


def show(console: Console, acknowledged: Sequence[Acknowledged]) -> None:
    """Print what stands on record."""
    columns = [
        Column("anomaly"),
        Column("cause"),
        Column("account", drop=1),
        Column("order", "right"),
        Column("at (UTC)", drop=2),
        Column("by", wraps=True),
        Column("note", wraps=True, drop=3),
    ]
    rows = [
        [
            one.event_id,
            one.cause,
            one.account,
            str(one.sequence),
            one.at,
            printable(one.by),
            printable(one.note),
        ]
        for one in acknowledged
    ]
    print_table(console, "Acknowledged", columns, rows)


async def _acknowledge(database: str, ids: list[str], by: str, note: str) -> list[Acknowledged]:
    connection = await open_connection(database)
    try:
        async with connection.transaction():
            known = {row["event_id"] for row in await connection.fetch(_KNOWN, ids)}
            if unknown := [one for one in ids if one not in known]:
                raise _no_anomalies(unknown, await connection.fetch(_OPEN))
            await connection.execute(_ACKNOWLEDGE, ids, by, note)
            rows = await connection.fetch(_KNOWN, ids)
    finally:
        await connection.close()
    return [_acknowledged(row) for row in rows]


def _no_anomalies(unknown: Sequence[str], newest: Sequence[asyncpg.Record]) -> BadOption:
    listed = "\n  ".join(row[0] for row in newest) or "none"
    return BadOption(
        f"expected the ids of anomalies, found no anomaly with: {', '.join(unknown)}. Nothing was "
        f"acknowledged. The newest open ones:\n  {listed}"
    )


def _acknowledged(row: asyncpg.Record) -> Acknowledged:
    return Acknowledged(
        event_id=row["event_id"],
        cause=row["cause"],
        account=row["account"],
        sequence=row["sequence"],
        by=row["acknowledged_by"],
        at=f"{row['acknowledged_at'].astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        note=row["note"],
    )
