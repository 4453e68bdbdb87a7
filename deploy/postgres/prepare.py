"""The one-shot step before the services start: schema, months, passwords of the two roles.

Reads what it needs from secrets: the owner's address, the audit writer's address and the reader's password.
Running it again changes nothing; the password of a role becomes what its secret says.
"""

import asyncio
import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg
from alembic.config import main as alembic

from audit_writer import maintain

SECRETS = Path("/run/secrets")
CONFIGURATION = Path(__file__).parent / "alembic.ini"


def main() -> int:
    """Return the exit status; what went wrong is on standard error."""
    owner = secret("fillproof_owner_database_url")
    os.environ["DATABASE_URL"] = owner
    alembic(["-c", str(CONFIGURATION), "upgrade", "head"])
    writer = urlsplit(secret("fillproof_database_url")).password or ""
    passwords = {"audit_writer": unquote(writer), "grafana_reader": secret("grafana_reader_password")}
    asyncio.run(set_passwords(owner, passwords))
    return maintain.main()


def secret(name: str) -> str:
    """Return what a secret says."""
    return (SECRETS / name).read_text().strip()


async def set_passwords(owner: str, passwords: dict[str, str]) -> None:
    """Let the roles log in, each with its password; `ALTER ROLE` takes no parameters."""
    connection = await asyncpg.connect(owner)
    try:
        for role, password in passwords.items():
            statement = await connection.fetchval(
                "SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)", role, password
            )
            await connection.execute(statement)
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(main())
