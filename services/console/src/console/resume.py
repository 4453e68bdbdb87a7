"""`fillproof resume`: an operator has looked into a halt; the account is acted upon again."""

import asyncio
import contextlib
from datetime import datetime

import msgspec
from nats.js import JetStreamContext
from nats.js.errors import KeyNotFoundError
from rich.console import Console

from console.asking import checked_address
from console.bus_connection import open_bus
from console.errors import BadOption, NotFinished
from order_events import ReconcilerHalted, ReconcilerResumed, decode, encode, reconciler_event_id
from order_events.subjects import HALT_KEY, RESUME_KEY, STATE_BUCKET

TAKEN_UP_SECONDS = 15.0
"""A reconciler looks at least once a minute by its settings, and once a second by default."""
_POLL_SECONDS = 0.1


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator says to a halt."""

    account: str
    resumed_by: str
    note: str
    at: datetime


def resume(nats_url: str, answer: Answer, console: Console) -> list[ReconcilerHalted]:
    """Answer the account's halt and wait until the reconciler goes on; return what was answered.

    Raises:
        BadOption: an address that is none, a note that says nothing, an account that is not halted.
        NotFinished: no bus answers, or no reconciler has taken the answer up yet.

    """
    answer = msgspec.structs.replace(answer, account=checked_address(answer.account))
    if not answer.note.strip():
        raise BadOption("expected a --note that says what was found, found an empty one")
    return asyncio.run(_resume(nats_url, answer, console))


async def _resume(nats_url: str, answer: Answer, console: Console) -> list[ReconcilerHalted]:
    async with open_bus(nats_url) as jetstream:
        halts = await _find_halts(jetstream, answer.account)
        if not halts:
            raise BadOption(
                f"expected {answer.account} to be halted, found that it is not: there is nothing to resume"
            )
        bucket = await jetstream.key_value(STATE_BUCKET)
        for halted in halts:
            console.print(f"Halted at ledger {halted.ledger_index}: {halted.reason}", soft_wrap=True)
            key = f"{halted.network_id}.{halted.account}.{RESUME_KEY}"
            await bucket.put(key, encode(_resumed(halted, answer)))
        console.print("Waiting for the reconciler to go on ...")
        await _until_lifted(jetstream, halts)
    return halts


async def _find_halts(jetstream: JetStreamContext, account: str) -> list[ReconcilerHalted]:
    """Return the account's halts: one for each network of which the bucket holds a state."""
    bucket = await jetstream.key_value(STATE_BUCKET)
    before = f"$KV.{STATE_BUCKET}."
    notices = await jetstream.stream_info(
        f"KV_{STATE_BUCKET}", subjects_filter=f"{before}*.{account}.{HALT_KEY}"
    )
    found = []
    for subject in sorted(notices.state.subjects or ()):
        with contextlib.suppress(KeyNotFoundError):  # it may have been lifted
            entry = await bucket.get(subject.removeprefix(before))
            found.append(decode(entry.value or b""))
    return [event for event in found if isinstance(event, ReconcilerHalted)]


async def _until_lifted(jetstream: JetStreamContext, halts: list[ReconcilerHalted]) -> None:
    account = halts[0].account
    try:
        async with asyncio.timeout(TAKEN_UP_SECONDS):
            while set(halts) & set(await _find_halts(jetstream, account)):  # noqa: ASYNC110 - nobody tells it
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise NotFinished(
            f"no reconciler has gone on with {account} within {TAKEN_UP_SECONDS:g} s: the answer is kept, "
            "and holds as soon as one follows the account; is one running?"
        ) from None


def _resumed(halted: ReconcilerHalted, answer: Answer) -> ReconcilerResumed:
    named = reconciler_event_id(
        network_id=halted.network_id,
        kind="reconciler.resumed",
        account=halted.account,
        about=(halted.event_id,),
    )
    return ReconcilerResumed(
        event_id=named,
        network_id=halted.network_id,
        account=halted.account,
        session_id=halted.session_id,
        ledger_index=None,
        occurred_at=answer.at,
        answers=halted.event_id,
        resumed_by=answer.resumed_by,
        note=answer.note,
    )
