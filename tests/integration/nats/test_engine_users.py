"""Engines as users of the bus: each can do its work, and nothing that is another's."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import nats.errors
import pytest
from bus_users import ENGINES, OTHERS, SESSION
from guarded_bus import GuardedBus, make_secrets
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig
from nats.js.errors import NoStreamResponseError
from waiting import until_found

from console.engine import announcements
from order_events import CancelRequested, OrderSubmitted, encode
from order_events.subjects import engine_subject
from reconciler.adapters.dead_letters import DeadLetters
from reconciler.adapters.engine_feed import JetStreamEngineFeed
from reconciler.metrics import Metrics
from service_kit import EngineSettings, StreamSettings, provision

pytestmark = pytest.mark.stack

ENGINE = Path(__file__).parents[3] / "docs" / "examples" / "engine_nats.py"

STRANGE_SUBJECTS = (
    f"engine.order.cancel_requested.{OTHERS}",
    "engine.order.cancel_requested",
    f"order.filled.{OTHERS}",
    f"reconciler.resumed.{OTHERS}",
    f"$KV.reconciler.0.{OTHERS}.resume",
    "dlq.audit-writer",
    "audit.redeliver.order.filled.r",
    f"$JS.ACK.ORDERS.other-{OTHERS}.1.1.1.1.1",
    "$JS.API.CONSUMER.DELETE.ORDERS.audit-writer",
    "$JS.API.STREAM.PURGE.ORDERS",
    "$JS.fillproof.API.STREAM.DELETE.ORDERS",
)
STRANGE_QUESTIONS = (
    *(
        f"{api}.API.{question}"
        for api in ("$JS", "$JS.fillproof")
        for question in (
            f"CONSUMER.MSG.NEXT.ORDERS.other-{OTHERS}",
            "CONSUMER.MSG.NEXT.ORDERS.audit-writer",
            f"CONSUMER.INFO.ORDERS.other-{OTHERS}",
            f"CONSUMER.CREATE.ORDERS.spy.*.*.{OTHERS}",
            "CONSUMER.DURABLE.CREATE.ORDERS.spy",
            "STREAM.MSG.GET.ORDERS",
            "STREAM.NAMES",
        )
    ),
)


async def test_an_engine_writes_nothing_that_is_anothers(bus: GuardedBus, operator: Client) -> None:
    own = CancelRequested(account=SESSION.orders[0]["account"], sequence=1)
    async with as_engine(bus) as engine:
        for subject in STRANGE_SUBJECTS:
            await engine.publish(subject, encode(own))
        # published last, so whatever came before it is stored when this is
        await engine.jetstream().publish(engine_subject(own), encode(own), stream="ENGINE")
    assert await stored(operator) == {"ENGINE": 1}


async def test_an_engine_reads_nothing_that_is_anothers_and_makes_no_consumer(
    bus: GuardedBus, operator: Client
) -> None:
    before = await consumers(operator)
    overheard: list[Msg] = []

    async def overhear(message: Msg) -> None:
        overheard.append(message)

    async with as_engine(bus) as engine:
        await engine.subscribe(">", cb=overhear)
        await engine.flush()
        await operator.jetstream().publish(f"order.filled.{OTHERS}", b"told to the other", stream="ORDERS")
        for question in STRANGE_QUESTIONS:
            answer = await unanswered(engine, question)
            assert answer is None or b"not enabled" in answer, question
    assert not any(b"told to the other" in message.data for message in overheard)
    assert await consumers(operator) == before


async def test_an_engine_can_not_have_an_answer_sent_where_it_may_not_write(
    bus: GuardedBus, operator: Client
) -> None:
    account = SESSION.orders[0]["account"]
    await operator.jetstream().publish(f"order.filled.{account}", b"{}", stream="ORDERS")
    written = {"ORDERS": 1, "ENGINE": 1}
    async with as_engine(bus) as engine:
        for subject in (f"$KV.reconciler.0.{OTHERS}.account", f"order.filled.{OTHERS}"):
            for question in ("INFO", "MSG.NEXT"):
                api = f"$JS.fillproof.API.CONSUMER.{question}.ORDERS.engine-{account}"
                await engine.publish(api, b"", reply=subject)
            await engine.publish(f"engine.session.started.{account}", b"", reply=subject)
            written["ENGINE"] += 1
        await engine.jetstream().publish(f"engine.session.started.{account}", b"", stream="ENGINE")
    assert await stored(operator) == written


async def test_a_forged_cancel_silences_no_alarm_of_another_engines_account(
    bus: GuardedBus, operator: Client
) -> None:
    order = next(one for one in SESSION.orders if one["cancel_tx"] is None)
    account, sequence = order["account"], order["sequence"]
    forged = encode(CancelRequested(account=account, sequence=sequence))
    async with as_engine(bus, "other") as forger:
        jetstream = forger.jetstream()
        for subject in (f"engine.order.cancel_requested.{account}", "engine.order.cancel_requested"):
            with pytest.raises(NoStreamResponseError):
                await jetstream.publish(subject, forged, stream="ENGINE")
        await jetstream.publish(f"engine.order.cancel_requested.{OTHERS}", forged, stream="ENGINE")
    submitted = next(
        one for one in announcements(SESSION) if isinstance(one, OrderSubmitted) and one.sequence == sequence
    )
    async with as_engine(bus) as engine:
        await engine.jetstream().publish(engine_subject(submitted), encode(submitted), stream="ENGINE")
    metrics = Metrics()
    feed = JetStreamEngineFeed(lambda: operator, metrics, DeadLetters(lambda: operator, metrics))
    feed.follow(account, 0)
    heard = (await feed.announced(account)).announcements
    assert [one for one in heard if isinstance(one, CancelRequested)] == []
    assert [one.sequence for one in heard if isinstance(one, OrderSubmitted)] == [sequence]
    assert metrics.registry.get_sample_value("reconciler_malformed_announcements_total") == 1


async def test_the_consumer_of_an_engine_of_an_earlier_version_goes_on_where_it_is(
    bus: GuardedBus, operator: Client
) -> None:
    account, jetstream = SESSION.orders[0]["account"], operator.jetstream()
    durable = f"engine-{account}"
    await jetstream.delete_consumer("ORDERS", durable)
    earlier = ConsumerConfig(filter_subjects=[f"order.*.{account}", f"reconciler.*.{account}"], ack_wait=5)
    reading = await jetstream.pull_subscribe("", durable=durable, stream="ORDERS", config=earlier)
    for body in (b"first", b"second"):
        await jetstream.publish(f"order.filled.{account}", body, stream="ORDERS")
    [first] = await reading.fetch(1)
    await first.ack_sync()
    await provision(jetstream, StreamSettings(), EngineSettings(engines=ENGINES))
    async with as_engine(bus) as engine:
        bound = await engine.jetstream(domain="fillproof").pull_subscribe_bind(durable, stream="ORDERS")
        assert [message.data for message in await bound.fetch(2, timeout=5)] == [b"second"]


@pytest.mark.parametrize("engines", ["Desk:rA", "operator:rA", "desk", "desk:r A", "desk:rA:rB", "desk:"])
def test_engines_that_are_named_wrongly_end_the_secrets_step_and_change_nothing(
    tmp_path: Path, engines: str
) -> None:
    assert make_secrets(tmp_path, "desk:rA").returncode == 0
    before = (tmp_path / "secrets" / "nats_engines").read_text()
    refused = make_secrets(tmp_path, engines)
    assert refused.returncode == 2
    assert "expected NAME:ACCOUNT+ACCOUNT" in refused.stderr
    assert (tmp_path / "secrets" / "nats_engines").read_text() == before


def test_the_secrets_step_keeps_passwords_and_follows_the_engines_that_are_set(tmp_path: Path) -> None:
    make_secrets(tmp_path, "desk:rA")
    desk = (tmp_path / "secrets" / "desk_nats_url").read_text()
    passwords = tmp_path / "secrets" / "nats_passwords"
    passwords.chmod(0o644)
    passwords.write_text(passwords.read_text() + 'PASSWORD_OF_ENGINE: "as version 0.1 had it"\n')
    make_secrets(tmp_path, "desk:rA+rB,arb:rC")
    text = (tmp_path / "secrets" / "nats_engines").read_text()
    assert (tmp_path / "secrets" / "desk_nats_url").read_text() == desk
    assert [name for name in ("engine.*.*.rA", "engine.*.*.rB", "engine.*.*.rC") if name in text] == [
        "engine.*.*.rA",
        "engine.*.*.rB",
        "engine.*.*.rC",
    ]
    assert "PASSWORD_OF_ENGINE" not in passwords.read_text()  # nats-server refuses what it has no use for


async def test_an_engine_of_the_examples_does_its_work_as_its_user(
    bus: GuardedBus, operator: Client, tmp_path: Path
) -> None:
    account = SESSION.orders[0]["account"]
    said = b"".join(encode(one) + b"\n" for one in announcements(SESSION))
    before = len(bus.violations())
    command = [sys.executable, ENGINE, bus.url("engine"), account, tmp_path / "books.sqlite"]
    engine = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE)
    assert engine.stdin
    engine.stdin.write(said)
    engine.stdin.close()
    try:
        await until_found(lambda: reads_orders(operator, f"engine-{account}"))
    finally:
        engine.kill()
        await engine.wait()
    assert bus.violations()[before:] == []


@contextlib.asynccontextmanager
async def as_engine(bus: GuardedBus, name: str = "engine") -> AsyncIterator[Client]:
    client = await nats.connect(bus.url(name))
    try:
        yield client
    finally:
        await client.close()


async def stored(operator: Client) -> dict[str, int]:
    """Return how many messages each stream holds; empty ones are left out."""
    streams = await operator.jetstream().streams_info()
    return {str(one.config.name): one.state.messages for one in streams if one.state.messages}


async def consumers(operator: Client) -> list[str]:
    return sorted(one.name for one in await operator.jetstream().consumers_info("ORDERS"))


async def unanswered(engine: Client, question: str) -> bytes | None:
    """Return the answer to a question; None: nobody answers it."""
    try:
        return (await engine.request(question, b"", timeout=0.2)).data
    except (nats.errors.TimeoutError, nats.errors.NoRespondersError):
        return None


async def reads_orders(operator: Client, durable: str) -> bool:
    """Whether the engine's own consumer exists and is asked."""
    consumers = await operator.jetstream().consumers_info("ORDERS")
    return any(one.name == durable and one.num_waiting for one in consumers)
