"""`fillproof failover`: an operator signs that the chain goes on without batches that a failover has lost."""

import asyncio
from datetime import UTC, datetime

import msgspec

from audit_log import START, Checkpoint, Failover, Frontier, SigningKey, sign_act
from console.errors import BadOption
from console.proof.chain import Acts, Trust
from console.proof.connecting import connected

_DIGESTS = "SELECT position, digest FROM public.batch_digest ORDER BY position"
DIGESTS_AT_ONCE = 5_000


class Forked(msgspec.Struct, frozen=True, kw_only=True):
    """Where the chain leaves what was signed."""

    lost: int
    """Position of the last checkpoint that it does not contain."""
    continues: int
    """Position of the last checkpoint before that it still contains; 0: none."""
    digest: bytes
    """The batch's digest there."""


def sign_failover(database: str, trust: Trust, key: SigningKey, reason: str) -> Failover:
    """Add a signed failover to the chain, and return it.

    Args:
        database: the owner's address.
        trust: the checkpoints, from where the database's owner can't write.
        key: the operator's.
        reason: what happened, in one line.

    Raises:
        BadOption: the chain contains every checkpoint, or the database can't be used.

    """
    return asyncio.run(_sign_failover(database, trust, key, reason))


def fork_of(digests: list[bytes], checkpoints: list[Checkpoint]) -> Forked | None:
    """Return where a chain with these digests leaves the checkpoints; None: it contains all of them."""
    tree = Frontier()
    roots: dict[int, bytes] = {}
    wanted = {one.position for one in checkpoints}
    for digest in digests:
        tree.append(digest)
        if tree.size in wanted:
            roots[tree.size] = tree.root
    unlike = {one.position for one in checkpoints if roots.get(one.position) != one.root}
    if not unlike:
        return None
    continues = max((position for position in wanted if position < min(unlike)), default=0)
    return Forked(
        lost=max(unlike), continues=continues, digest=digests[continues - 1] if continues else START
    )


async def _sign_failover(database: str, trust: Trust, key: SigningKey, reason: str) -> Failover:
    async with connected(database) as connection, connection.transaction():
        await connection.execute("SELECT FROM public.chain_head FOR UPDATE")
        notes = await connection.fetch("SELECT position, act FROM public.batch_digest WHERE act IS NOT NULL")
        known = Acts([(row["position"], row["act"]) for row in notes], trust)
        current = [one for one in trust.checkpoints if not known.lost(one.position, one.time)]
        digests = [row["digest"] async for row in connection.cursor(_DIGESTS, prefetch=DIGESTS_AT_ONCE)]
        forked = fork_of(digests, current)
        if forked is None:
            raise BadOption("expected a checkpoint that the chain does not contain, found none: all hold")
        act = Failover(
            operator=key.name,
            time=datetime.now(UTC).replace(microsecond=0),
            lost=forked.lost,
            continues=forked.continues,
            digest=forked.digest,
            reason=" ".join(reason.split()),
        )
        await connection.execute("SELECT public.append_act($1)", sign_act(act, key))
    return act
