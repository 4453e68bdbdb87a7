"""Fuzzed answers of a server: the follower refuses them by name, and an honest server serves."""

from random import Random

from fuzz.parts import WITHIN, Found, Longest, unless
from hostile_answers import HostileServer
from in_memory_bus import Memory
from in_process_node import InProcessServer
from one_account import follower, to_the_end
from replaying import recorded

from ledger_client import ServerError
from reconciler.following.account_reader import HistoryMissing
from reconciler.following.follower import Follower
from reconciler.safety.account_safety import SharedSafety

SESSIONS = ("partial_then_canceled", "autobridged", "transfer_fee", "with_amm", "ticketed")
LOOKS = 6
"""Readings of one hostile server."""
SHARE = 0.15
"""Of its answers that are changed: what follows an honest one is reached too."""


async def fuzz_answers(chance: Random, count: int) -> Found:
    """Follow accounts on servers that change their answers, until so many were changed."""
    tried = refused = 0
    problems: list[str] = []
    neighbour = Longest()
    while tried < count:
        session = recorded(chance.choice(SESSIONS))
        hostile = HostileServer(session, "node://hostile", chance.getrandbits(32), share=SHARE)
        hostile.close_ledgers()
        one = follower(Memory(), session, safety=SharedSafety(check_ledgers=2))
        for _ in range(LOOKS):
            found = await _look(one, hostile)
            refused += found is not None
            problems += unless(
                found is None or found.startswith("node://hostile: "), f"{session.name}: {found}"
            )
        tried += hostile.changed
        honest, memory = InProcessServer(session, "node://honest"), Memory()
        honest.close_ledgers()
        with neighbour:
            await to_the_end(follower(memory, session), honest)
        problems += unless(bool(memory.stream), f"{session.name}: the honest server told nothing")
    problems += unless(neighbour.seconds < WITHIN, f"a neighbour waited {neighbour.seconds:.1f} s")
    return Found(part="answers", tried=tried, refused=refused, slowest=neighbour.seconds, problems=problems)


async def _look(one: Follower, hostile: HostileServer) -> str | None:
    """Return what the reading was refused with; None: it was not."""
    try:
        await one.advance(hostile)
    except (ServerError, HistoryMissing) as fault:
        return str(fault)
    except Exception as unforeseen:  # noqa: BLE001 - this is what is looked for
        return f"unforeseen {unforeseen!r:.200}"
    return None
