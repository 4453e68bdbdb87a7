"""Fuzzed announcements on a real NATS: one engine floods with garbage while its neighbours trade."""

import asyncio
from random import Random

import msgspec
import nats
from fuzz.parts import WITHIN, Found, Longest, unless
from hostile_answers import changed
from in_memory_bus import Memory
from in_process_node import InProcessServer
from nats.aio.client import Client
from nats.js import JetStreamContext
from running_scheduler import LAST, ROLES, SESSION, Running, scheduling
from waiting import limit, until

from console.engine import announcements
from order_events import Malformed, decode_announcement, encode
from order_events.subjects import ENGINE_STREAM
from reconciler.adapters.dead_letters import DeadLetters
from reconciler.adapters.engine_feed import JetStreamEngineFeed
from reconciler.following.stored_account import cursor_of
from reconciler.ports.bus import EngineFeed

VICTIM, *NEIGHBOURS = ROLES
AT_ONCE = 500
LONGEST = 20_000
"""Bytes; a longer announcement is malformed for its length alone."""


class OnTheBus(Running):
    """The accounts hear their engines on a real bus."""

    def __init__(self, server: InProcessServer) -> None:
        super().__init__(server, poll_seconds=0.02)
        self._feed: EngineFeed | None = None

    def hear(self, connection: Client) -> None:
        """Hear the engines on this connection."""
        letters = DeadLetters(lambda: connection, self.metrics)
        self._feed = JetStreamEngineFeed(lambda: connection, self.metrics, letters)

    def feed(self, memory: Memory) -> EngineFeed:
        return self._feed or super().feed(memory)

    def neighbours_at(self, ledger_index: int) -> bool:
        """Whether all accounts but the victim are committed up to a ledger."""
        victim = SESSION.accounts[VICTIM]
        others = [one for one in self.followers if one.account != victim]
        return all(cursor_of(one.committed) >= ledger_index for one in others)

    def counted(self) -> int:
        """Return how many malformed announcements were counted."""
        return int(self.metric("malformed_announcements_total") or 0)


async def fuzz_announcements(nats_url: str, chance: Random, count: int) -> Found:
    """Announce so many changed orders and cancels of one account, between the ledgers of a session."""
    quiet = await _told_in_quiet()
    connection = await nats.connect(nats_url)
    server, neighbour, malformed = InProcessServer(SESSION), Longest(), 0
    running = OnTheBus(server)
    running.hear(connection)
    payloads = _changed(chance, count)
    a_ledger = count // (len(SESSION.ledgers) - 1) + 1
    try:
        async with scheduling(running):
            await until(running.all_at(SESSION.ledgers[0].ledger_index))
            for number, ledger in enumerate(SESSION.ledgers[1:]):
                some = payloads[number * a_ledger : (number + 1) * a_ledger]
                await _announce(connection.jetstream(timeout=limit()), some)
                malformed += sum(map(_is_malformed, some))
                server.close_ledgers(1)
                running.wakeup.notify()
                with neighbour:
                    await until(lambda upto=ledger.ledger_index: running.neighbours_at(upto))  # type: ignore[misc]
            await until(running.all_at(LAST))
            await until(lambda: running.counted() >= malformed)
    finally:
        await connection.close()
    problems = [
        *unless(running.metric("account_faults_total") == 0, "an account was set aside"),
        *unless(running.counted() == malformed, f"expected {malformed} malformed, found {running.counted()}"),
        *unless(_told(running) == quiet, "the neighbours were told something else"),
        *unless(neighbour.seconds < WITHIN, f"a neighbour waited {neighbour.seconds:.1f} s"),
    ]
    return Found(
        part="announcements", tried=count, refused=malformed, slowest=neighbour.seconds, problems=problems
    )


def _changed(chance: Random, count: int) -> list[tuple[str, bytes]]:
    """Return changed announcements of the victim, each with its subject."""
    honest = [
        (f"{event.__struct_config__.tag}.{event.account}", msgspec.to_builtins(event))
        for event in announcements(SESSION)
        if event.account == SESSION.accounts[VICTIM]
    ]
    made = []
    for _ in range(count):
        subject, fields = chance.choice(honest)
        made.append((subject, changed(fields, chance, changes=chance.randint(1, 3))[:LONGEST]))
    return made


def _is_malformed(message: tuple[str, bytes]) -> bool:
    subject, payload = message
    try:
        decode_announcement(payload, subject)
    except Malformed:
        return True
    return False


async def _announce(context: JetStreamContext, messages: list[tuple[str, bytes]]) -> None:
    for first in range(0, len(messages), AT_ONCE):
        some = messages[first : first + AT_ONCE]
        await asyncio.gather(
            *(context.publish(subject, payload, stream=ENGINE_STREAM) for subject, payload in some)
        )


async def _told_in_quiet() -> dict[str, list[bytes]]:
    server = InProcessServer(SESSION)
    server.close_ledgers()
    async with scheduling(Running(server, poll_seconds=0.02)) as running:
        await until(running.all_at(LAST))
    return _told(running)


def _told(running: Running) -> dict[str, list[bytes]]:
    return {role: sorted(map(encode, running.memories[role].stream)) for role in NEIGHBOURS}
