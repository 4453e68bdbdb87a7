"""The embedded deployment that the engine developer and the operator share: it follows one account."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import msgspec
from following import environment
from replaying import recorded
from running_node import RunningNode, running_node

from console.engine import engine_accounts
from console.stack import local_stack, start_audit_writer
from local_stack import LocalStack

SESSION = recorded("random_1")
ACCOUNT = engine_accounts(SESSION)[0]


class FollowedAccount(msgspec.Struct, frozen=True):
    """A node whose ledgers close when they are told to, and the stack that follows it."""

    stack: LocalStack
    node: RunningNode

    @property
    def owner(self) -> str:
        """The URL of the database's owner."""
        return self.stack.postgres_dsn("owner")


@contextmanager
def followed_account() -> Iterator[FollowedAccount]:
    """Start NATS, PostgreSQL, both services and the node, until the block ends."""
    with (
        running_node("random_1") as node,
        local_stack(data_dir=None, nats_port=0, postgres_port=0) as stack,
    ):
        start_audit_writer(stack)
        settings = environment(
            stack.nats_url,
            node.url,
            SESSION,
            ACCOUNTS=ACCOUNT,
            HALT_AFTER_UNRESOLVED=1,
            PERMISSION_LEDGER_SECONDS=600,
        )
        stack.spawn("reconciler", env=settings).wait_ready()
        yield FollowedAccount(stack, node)


def fetched(url: str, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query."""

    async def rows() -> list[tuple[object, ...]]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return asyncio.run(rows())
