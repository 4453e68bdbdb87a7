"""`fillproof resume` against a real bus, with nobody or somebody there to take the answer up."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.resources import files

import nats
import pytest
from nats.js.kv import KeyValue
from rich.console import Console
from waiting import limit

from console import resume as command
from console.errors import BadOption, NotFinished
from console.resume import Answer, resume
from order_events import ReconcilerHalted, ReconcilerResumed, decode
from order_events.subjects import HALT_KEY, RESUME_KEY, STATE_BUCKET

pytestmark = pytest.mark.stack

NOTICE = (files("order_events") / "samples/v1/reconciler.halted.json").read_bytes()
ACCOUNT = "rfxmebQ8cESn2JoSoNV6eELtUzndoSjos6"
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@pytest.fixture
async def bucket(provisioned_nats_url: str) -> AsyncIterator[KeyValue]:
    connection = await nats.connect(provisioned_nats_url)
    yield await connection.jetstream().key_value(STATE_BUCKET)
    await connection.close()


async def answered(url: str, account: str = ACCOUNT, note: str = "never signed") -> list[ReconcilerHalted]:
    answer = Answer(account=account, resumed_by="ada", note=note, at=NOW)
    return await asyncio.to_thread(resume, url, answer, Console(quiet=True))


async def test_the_answer_names_the_halt_who_looked_when_and_what_was_found(
    provisioned_nats_url: str, bucket: KeyValue
) -> None:
    await bucket.put(f"0.{ACCOUNT}.{HALT_KEY}", NOTICE)
    asked = asyncio.create_task(answered(provisioned_nats_url))
    watcher = await bucket.watch(f"0.{ACCOUNT}.{RESUME_KEY}")
    async with asyncio.timeout(limit()):
        written = None
        while written is None or written.value is None:
            written = await watcher.updates()
    await watcher.stop()
    resumed, halted = decode(written.value), decode(NOTICE)
    assert isinstance(resumed, ReconcilerResumed)
    assert isinstance(halted, ReconcilerHalted)
    assert (resumed.answers, resumed.account, resumed.network_id) == (halted.event_id, ACCOUNT, 0)
    assert (resumed.resumed_by, resumed.note, resumed.occurred_at) == ("ada", "never signed", NOW)
    await bucket.delete(f"0.{ACCOUNT}.{HALT_KEY}")
    assert await asked == [halted]


async def test_while_no_reconciler_goes_on_the_answer_is_kept_and_that_is_said(
    provisioned_nats_url: str, bucket: KeyValue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "TAKEN_UP_SECONDS", 0.2)
    await bucket.put(f"0.{ACCOUNT}.{HALT_KEY}", NOTICE)
    with pytest.raises(NotFinished, match=r"no reconciler has gone on .*: the answer is kept"):
        await answered(provisioned_nats_url)
    assert (await bucket.get(f"0.{ACCOUNT}.{RESUME_KEY}")).value


async def test_an_account_that_is_not_halted_any_more_has_nothing_to_resume(
    provisioned_nats_url: str, bucket: KeyValue
) -> None:
    await bucket.put(f"0.{ACCOUNT}.{HALT_KEY}", NOTICE)
    await bucket.delete(f"0.{ACCOUNT}.{HALT_KEY}")
    with pytest.raises(BadOption, match=r"expected rfx.* to be halted, found that it is not"):
        await answered(provisioned_nats_url)


async def test_a_bus_without_a_reconciler_s_state_is_the_wrong_one(nats_url: str) -> None:
    with pytest.raises(BadOption, match="expected the reconciler's bucket reconciler on the bus, found none"):
        await answered(nats_url)


@pytest.mark.parametrize(
    ("account", "note", "complaint"),
    [
        (ACCOUNT[:-1], "x", "its checksum does not fit"),
        (ACCOUNT, "  ", "expected a --note that says what was found"),
    ],
)
async def test_what_can_not_be_meant_is_refused(account: str, note: str, complaint: str) -> None:
    with pytest.raises(BadOption, match=complaint):
        await answered("nats://127.0.0.1:1", account, note)
