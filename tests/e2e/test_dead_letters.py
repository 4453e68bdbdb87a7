"""`fillproof dead-letters`: what could not be stored is shown, and sent to the audit writer again."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import asyncpg
import nats
import pytest
from audit_tables import fetch
from fillproof_command import fillproof
from on_the_bus import stored
from sample_events import event
from typer.testing import CliRunner
from waiting import until_found

from console import dead_letters
from console.main import app
from order_events import encode
from order_events.subjects import (
    ANNOUNCEMENT_READER,
    AUDIT_CONSUMER,
    DEAD_LETTER_STREAM,
    ENGINE_STREAM,
    ORDERS_STREAM,
    ORIGIN_SEQUENCE,
    ORIGIN_STREAM,
    ORIGIN_SUBJECT,
    REASON,
    REDELIVERY_STREAM,
    dead_letter_subject,
    order_subject,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from conftest import Dsn
    from nats.aio.client import Client

    from local_stack import Child, LocalStack

pytestmark = pytest.mark.stack

SUBJECT = "order.filled.rX"
GOOD = [encode(event("order.filled", number)) for number in range(3)]
BAD = b'{"event_type":"order.invented"}'
NO_TEXT = b"\xff\xfe"


@pytest.fixture
async def client(provisioned_nats_url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(provisioned_nats_url)
    yield connection
    await connection.close()


@pytest.fixture
def write_audit(
    stack: LocalStack, postgres_dsn: Dsn, provisioned_nats_url: str, tmp_path: Path
) -> Iterator[Callable[[], Child]]:
    started: list[Child] = []

    def start() -> Child:
        env = {
            "FILLPROOF_NATS_URL": provisioned_nats_url,
            "FILLPROOF_DATABASE_URL": postgres_dsn("audit_writer"),
        }
        started.append(stack.spawn("audit_writer", env=env, log_path=tmp_path / "writer.log"))
        started[-1].wait_ready()
        return started[-1]

    yield start
    for writer in started:
        writer.kill()


async def write_letters(client: Client, *payloads: bytes) -> None:
    """Leave the dead letters of an audit writer that an earlier version's fault made refuse them."""
    for number, payload in enumerate(payloads, start=451):
        headers = {
            ORIGIN_STREAM: ORDERS_STREAM,
            ORIGIN_SEQUENCE: str(number),
            ORIGIN_SUBJECT: SUBJECT,
            REASON: "an old fault",
        }
        await client.jetstream().publish(dead_letter_subject(AUDIT_CONSUMER), payload, headers=headers)


async def call(client: Client, *arguments: object) -> tuple[int, str, str]:
    """Call the command in this process, where it is ready at once."""
    command = ["dead-letters", "--nats", client.connected_url.geturl(), *map(str, arguments)]
    ended = await asyncio.to_thread(CliRunner().invoke, app, command)
    return ended.exit_code, ended.stdout, ended.stderr


async def listed(client: Client, *arguments: object) -> list[dict[str, Any]]:
    status, out, err = await call(client, "--json", *arguments)
    assert (status, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


async def rows(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    found: int = await connection.fetchval("SELECT count(*) FROM order_event")
    await connection.close()
    return found


async def test_what_the_audit_writer_refuses_is_listed_for_people_and_machines(
    client: Client, write_audit: Callable[[], Child]
) -> None:
    for payload in (BAD, NO_TEXT):
        await client.jetstream().publish(SUBJECT, payload)
    write_audit()
    await until_found(lambda: letters_are(client, 2))

    status, out, err = await call(client)
    assert (status, err) == (0, "")
    title, heading, _, *lines = (line.rstrip() for line in out.splitlines() if line.strip())
    assert title == "Dead letters"
    assert heading.split()[:4] == ["id", "time", "(UTC)", "from"]
    columns = [heading.index(word) for word in ("time", "subject", "reason", "payload")]
    for line, origin, reason in zip(
        lines, ("ORDERS:1", "ORDERS:2"), ("order.invented", "JSON is malformed"), strict=True
    ):
        assert origin in line
        assert reason in line
        assert all(line[column - 1] == " " and line[column] != " " for column in columns)

    first, second = await listed(client)
    assert (first["id"], first["stream"], first["stream_sequence"]) == (1, ORDERS_STREAM, "1")
    assert (first["subject"], first["payload"], first["payload_base64"]) == (SUBJECT, BAD.decode(), None)
    assert first["time"].endswith("Z")
    assert (second["payload"], second["payload_base64"]) == (None, "//4=")
    assert [letter["id"] for letter in await listed(client, 2)] == [2]


async def letters_are(client: Client, count: int) -> bool:
    return (await client.jetstream().stream_info(DEAD_LETTER_STREAM)).state.messages == count


async def test_what_is_sent_again_after_a_fix_is_stored_and_no_engine_hears_of_it(
    client: Client, write_audit: Callable[[], Child], postgres_dsn: Dsn
) -> None:
    await write_letters(client, *GOOD)
    write_audit()
    status, out, _ = await call(client, "--resend", 2)
    assert (status, out) == (0, "1 stored, 0 refused again, 0 waiting\n")
    assert [letter["id"] for letter in await listed(client)] == [1, 3]
    status, out, _ = await call(client, "--resend", "--all", "--json")
    assert (status, json.loads(out)) == (0, {"stored": 2, "waiting": 0, "refused": []})

    assert await rows(postgres_dsn()) == 3
    assert await listed(client) == []
    assert (await call(client))[1] == "No dead letters.\n"
    assert await stored(client.jetstream(), ORDERS_STREAM) == []


async def test_what_is_refused_again_is_a_dead_letter_again_and_still_knows_where_it_came_from(
    client: Client, write_audit: Callable[[], Child], postgres_dsn: Dsn
) -> None:
    await write_letters(client, GOOD[0], BAD)
    write_audit()
    for round_ in (1, 2):
        status, out, _ = await call(client, "--resend", "--all")
        assert (status, out.splitlines()[0]) == (1, f"{2 - round_} stored, 1 refused again, 0 waiting")
        [letter] = await listed(client)
        assert (letter["id"], letter["payload"]) == (2 + round_, BAD.decode())
        assert (letter["stream"], letter["stream_sequence"], letter["subject"]) == ("ORDERS", "452", SUBJECT)
        assert "order.invented" in letter["reason"]
    assert await rows(postgres_dsn()) == 1


async def test_sending_again_what_was_stored_before_changes_nothing(
    client: Client, write_audit: Callable[[], Child], postgres_dsn: Dsn
) -> None:
    await client.jetstream().publish(SUBJECT, GOOD[0])
    await write_letters(client, GOOD[0])
    write_audit()
    assert (await call(client, "--resend", "--all"))[0] == 0
    assert await rows(postgres_dsn()) == 1


async def test_two_who_send_the_same_letters_again_send_them_once(client: Client) -> None:
    await write_letters(client, *GOOD)
    url = client.connected_url.geturl()
    letters = await asyncio.to_thread(dead_letters.find, url, ())
    jetstream = client.jetstream()
    for letter in (*letters, *letters):
        await dead_letters.send(jetstream, letter)
    assert await stored(jetstream, REDELIVERY_STREAM) == GOOD
    assert await stored(jetstream, DEAD_LETTER_STREAM) == []


async def test_without_an_audit_writer_they_wait_and_are_stored_when_one_runs(
    client: Client,
    write_audit: Callable[[], Child],
    postgres_dsn: Dsn,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(dead_letters, "TAKEN_SECONDS", 0.2)
    await write_letters(client, *GOOD)
    url = client.connected_url.geturl()
    letters = await asyncio.to_thread(dead_letters.find, url, ())
    assert not await asyncio.to_thread(dead_letters.send_again, url, letters, as_json=False)
    assert "0 stored, 0 refused again, 3 waiting\nNo audit writer took" in capsys.readouterr().out
    write_audit()

    async def all_stored() -> bool:
        return await rows(postgres_dsn()) == 3

    await until_found(all_stored)


async def test_a_letter_that_is_broken_itself_is_mended_and_stored_under_its_id_and_that_stays_on_record(
    client: Client, write_audit: Callable[[], Child], postgres_dsn: Dsn, tmp_path: Path
) -> None:
    whole = event("order.filled", 7)
    came = encode(whole).replace(b'"sequence":7', b'"sequence":"seven"')
    await client.jetstream().publish(order_subject(whole), came)
    write_audit()
    await until_found(lambda: letters_are(client, 1))
    status, out, _ = await call(client, 1, "--save", "-")
    assert (status, out) == (0, came.decode())
    file = tmp_path / "letter.json"
    assert (await call(client, 1, "--save", file))[0] == 0
    file.write_bytes(file.read_bytes().replace(b'"seven"', b"7") + b"\n")
    mend = (1, "--mend", file, "--by", "mia", "--database", postgres_dsn())
    status, _, err = await call(client, *mend)
    assert (status, "why (--note), found an empty one" in err) == (2, True)
    status, out, err = await call(client, *mend, "--note", "the old writer wrote numbers as words")
    assert (status, out) == (0, "1 stored, 0 refused again, 0 waiting\n")
    assert err.strip() == 'sequence: "seven" -> 7'
    assert await listed(client) == []
    assert await fetch(postgres_dsn(), "SELECT event_id, sequence FROM order_event") == [(whole.event_id, 7)]
    [record] = await fetch(
        postgres_dsn(),
        "SELECT mended_by, note, stream, stream_sequence, event_id, came, sent FROM mended_letter",
    )
    reason = "the old writer wrote numbers as words"
    assert record == ("mia", reason, ORDERS_STREAM, "1", whole.event_id, came, encode(whole))
    # nothing is missing of the stream, and nobody takes the record back
    assert await fetch(postgres_dsn(), "SELECT * FROM dashboard.missing_sequence") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="stays on record"):
        await fetch(postgres_dsn(), "DELETE FROM mended_letter")


async def test_what_is_not_the_event_that_the_letter_should_have_been_is_not_sent(
    client: Client, postgres_dsn: Dsn, tmp_path: Path
) -> None:
    whole = event("order.filled", 7)
    headers = {ORIGIN_STREAM: ORDERS_STREAM, ORIGIN_SEQUENCE: "451", ORIGIN_SUBJECT: order_subject(whole)}
    came = encode(whole).replace(b"}", b"", 1)
    await client.jetstream().publish(dead_letter_subject(AUDIT_CONSUMER), came, headers=headers)
    file = tmp_path / "letter.json"
    for mended, said in (
        (came, "expected an event of stream ORDERS (docs/asyncapi)"),
        (b'{"event_type":"order.filled"}', "missing required field"),
        (encode(event("order.filled", 8)), f"expected the letter's event_id {whole.event_id}"),
        (encode(event("order.canceled", 7)), "expected an event of subject order.filled."),
        (NO_TEXT, "expected an event of stream ORDERS"),
    ):
        file.write_bytes(mended)
        status, out, err = await call(
            client, 1, "--mend", file, "--note", "n", "--by", "mia", "--database", postgres_dsn()
        )
        assert (status, out, said in err) == (2, "", True), err
    assert len(await listed(client)) == 1
    assert await fetch(postgres_dsn(), "SELECT * FROM mended_letter") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--mend", "file"), "expected one ID with --save or --mend, found 0"),
        (("1", "--save", "-", "--resend"), "expected one of --resend, --save and --mend, found several"),
        (("--resend",), "expected what to send again: --resend ID..., or --resend --all"),
        (("--resend", "--all", "1"), "expected what to send again"),
        (("--all",), "expected --all with --resend"),
        (("7", "9"), "expected the id of a dead letter, found 7, 9"),
    ],
)
async def test_what_can_not_be_meant_is_refused(
    client: Client, arguments: tuple[str, ...], said: str
) -> None:
    status, out, err = await call(client, *arguments)
    assert (status, out) == (2, "")
    assert said in err


async def test_a_malformed_announcement_is_listed_and_never_given_to_the_audit_writer(client: Client) -> None:
    await client.jetstream().publish(
        dead_letter_subject(ANNOUNCEMENT_READER),
        b"{",
        headers={
            ORIGIN_STREAM: ENGINE_STREAM,
            ORIGIN_SEQUENCE: "7",
            ORIGIN_SUBJECT: "engine.x.rX",
            REASON: "no",
        },
    )
    status, out, _ = await call(client, "--json")
    assert (status, json.loads(out)["stream"]) == (0, ENGINE_STREAM)
    status, _, err = await call(client, "--resend", "1")
    assert status == 2
    assert "found malformed announcements of an engine: 1" in err
    assert (await call(client, "--resend", "--all"))[0] == 0
    assert len(await stored(client.jetstream(), DEAD_LETTER_STREAM)) == 1
    assert await stored(client.jetstream(), REDELIVERY_STREAM) == []


def test_no_bus_and_a_bus_without_streams_are_told_apart(nats_url: str) -> None:
    nobody = fillproof("dead-letters", "--nats", "nats://127.0.0.1:1")
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert "expected NATS at 127.0.0.1:1" in nobody.stderr
    bare = fillproof("dead-letters", "--nats", nats_url)
    assert (bare.returncode, bare.stdout) == (2, "")
    assert "run the step `streams`" in bare.stderr
