"""The database: its version, rights, migrations, months, clock and space, and who writes to it."""

import importlib.resources
import re
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from urllib.parse import urlsplit

import msgspec

from console.doctor.clocks import clock
from console.doctor.encryption import encryption
from console.doctor.findings import NEARLY_FULL, Finding, ill, note, well
from console.errors import BadOption

_LEAST_VERSION = 15
_MAKE = "run the step `schema` (docker compose run --rm schema)"
_FACTS = (importlib.resources.files("console.doctor") / "database.sql").read_text()


class _Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What one query says; see `database.sql`."""

    version: int
    server: str
    encoding: str
    now: datetime
    standby: bool
    encrypted: bool
    role: str
    reads: bool | None
    """Whether the role may read the audit tables; None: there are none."""
    owns: bool | None
    migrated: bool
    this_month: bool
    next_month: bool
    bytes: int
    writers: list[str]
    """Names of the audit writer's connections, with its version."""

    @property
    def usable(self) -> bool:
        """Whether there are audit tables that the role may read."""
        return self.migrated and bool(self.reads) and bool(self.owns)


async def examine_database(url: str) -> list[Finding]:
    """Look at the database as the role of the URL, which should own the audit tables."""
    from console.proof.connecting import connected  # noqa: PLC0415 - an extra of the package

    migration, limit = None, None
    try:
        async with connected(url) as connection:
            facts = msgspec.convert(dict(await connection.fetchrow(_FACTS) or {}), _Facts)
            if facts.usable:
                migration = await connection.fetchval("SELECT version_num FROM fillproof_schema_version")
            if await connection.fetchval("SELECT to_regclass('database_limit')") and facts.usable:
                limit = await connection.fetchval("SELECT bytes FROM database_limit")
    except BadOption as error:
        advice = "start PostgreSQL, or correct the URL: role, password, TLS, port"
        return [ill("database", str(error), advice)]
    host = urlsplit(url).hostname or "localhost"
    return [
        _server(facts),
        encryption("database", host, None, encrypted=facts.encrypted),
        clock("database", facts.now),
        *_tables(facts, migration),
        _space(facts.bytes, limit),
        _writers(facts.writers),
    ]


def newest_migration() -> str:
    """Return the revision of the newest migration of this version of Fillproof."""
    versions = importlib.resources.files("console.doctor") / "migrations" / "versions"
    return max(match[1] for one in versions.iterdir() if (match := re.match(r"v(\d+)_.*\.py$", one.name)))


def _server(facts: _Facts) -> Finding:
    found = f"PostgreSQL {facts.server}, encoding {facts.encoding}"
    if facts.version < _LEAST_VERSION:
        return ill("database", found, f"run PostgreSQL {_LEAST_VERSION} or newer")
    if facts.encoding != "UTF8":
        return ill("database", found, "make a database with encoding UTF8")
    if facts.standby:
        return ill("database", f"{found}, a standby: nothing can be written", "name the primary in the URL")
    return well("database", found)


def _tables(facts: _Facts, migration: str | None) -> list[Finding]:
    if facts.reads is None or not facts.migrated:
        return [ill("database", "no audit tables", _MAKE)]
    if not facts.usable:
        found = f"role {facts.role} does not own the audit tables"
        return [ill("database", found, "use the owner's URL (secrets/owner_database_url)")]
    newest = newest_migration()
    if migration is None or migration < newest:
        return [ill("database", f"migrated to {migration}, expected {newest}", _MAKE)]
    if migration > newest:
        found = f"migrated to {migration}, newer than this version knows ({newest})"
        return [ill("database", found, "run one version of all parts")]
    found = f"role {facts.role} owns the audit tables, migrated to {migration}, the newest"
    return [well("database", found), _months(facts)]


def _months(facts: _Facts) -> Finding:
    lacking = [
        name for name, made in (("this", facts.this_month), ("the next", facts.next_month)) if not made
    ]
    if lacking:
        return note("database", f"no partition for {' and '.join(lacking)} month", _MAKE)
    return well("database", "partitions for this month and the next")


def _space(used: int, limit: int | None) -> Finding:
    found = f"{used // 1024**2} MB" + (f" of {limit // 1024**2} MB" if limit else "")
    if limit and used > NEARLY_FULL * limit:
        advice = "move old months away (deploy/postgres/README.md), or raise FILLPROOF_DATABASE_LIMIT_BYTES"
        return ill("database", found, advice)
    return well("database", found)


def _writers(names: Sequence[str]) -> Finding:
    mine = version("fillproof-console")
    versions = sorted({name.partition("/")[2] or "unknown" for name in names})
    if not versions:
        return note("audit writer", "is not connected to the database", "start it, if it should run")
    found = f"connected, version {', '.join(versions)}"
    if versions != [mine]:
        return note("audit writer", f"{found}; this is {mine}", "run one version of all parts")
    return well("audit writer", found)
