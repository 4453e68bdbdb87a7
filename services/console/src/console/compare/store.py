"""Keeping findings in the audit database, for a dashboard and an alert."""

import asyncio
from collections.abc import Sequence

import asyncpg
import msgspec

from console.compare.findings import Finding
from console.errors import BadOption
from console.proof.connecting import NO_DATABASE, no_database, open_connection

_INSERT = """
INSERT INTO public.book_finding (
    finding_id, book_digest, kind, account, sequence, transaction_hash, market, occurred_at, cause, worth,
    told
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb)
ON CONFLICT DO NOTHING
"""


def store_findings(url: str, findings: Sequence[Finding], book_digest: str) -> None:
    """Add the findings that are not there yet; `url`: of a role that is a fillproof_operator, or the owner.

    Raises:
        BadOption: the database does not answer, is not migrated, or the role may not add to it.

    """
    try:
        asyncio.run(_store(url, findings, book_digest))
    except (
        asyncpg.InsufficientPrivilegeError,
        asyncpg.ReadOnlySQLTransactionError,
        asyncpg.UndefinedTableError,
    ) as error:
        raise BadOption(
            f"expected migrated audit tables and a role that is a fillproof_operator, found: {error}"
        ) from error
    except NO_DATABASE as error:
        raise no_database(error, url, role="operator") from error


async def _store(url: str, findings: Sequence[Finding], book_digest: str) -> None:
    connection = await open_connection(url)
    try:
        async with connection.transaction():
            await connection.executemany(_INSERT, [_row(one, book_digest) for one in findings])
    finally:
        await connection.close()


def _row(finding: Finding, book_digest: str) -> tuple[object, ...]:
    return (
        finding.id, book_digest, finding.kind.value, finding.account, finding.sequence, finding.transaction,
        f"{finding.base}/{finding.quote}", finding.time, finding.cause, finding.worth,
        msgspec.json.encode(finding).decode(),
    )  # fmt: skip
