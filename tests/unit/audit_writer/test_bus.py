"""Answers to NATS are given once, and what is lost on the way does not matter."""

import nats.errors
import pytest
from nats.aio.msg import Msg

from audit_writer.adapters.bus import NatsDelivery, one_line

REPLY = "$JS.ACK.ORDERS.audit-writer.1.17.3.1795376387055319000.4"


class Connection:
    """Takes the answers that nats-py publishes."""

    def __init__(self, *, broken: bool = False) -> None:
        self.sent: list[bytes] = []
        self._broken = broken

    async def publish(self, _subject: str, payload: bytes = b"") -> None:
        if self._broken:
            raise nats.errors.ConnectionClosedError
        self.sent.append(payload)


def delivery(connection: Connection) -> NatsDelivery:
    message = Msg(_client=connection, subject="order.filled.rX", reply=REPLY, data=b"{}")  # type: ignore[arg-type]
    return NatsDelivery(message, "2026-11-29T18:00:00+00:00")


async def test_a_message_that_was_answered_is_neither_held_nor_given_back() -> None:
    connection = Connection()
    message = delivery(connection)
    await message.hold()
    await message.acknowledge()
    await message.hold()
    await message.give_back()
    assert connection.sent == [b"+WPI", b""]


async def test_a_message_can_be_terminated_or_given_back() -> None:
    connection = Connection()
    await delivery(connection).terminate()
    await delivery(connection).give_back()
    assert connection.sent == [b"+TERM", b"-NAK"]


async def test_an_answer_that_cannot_be_sent_raises_nothing() -> None:
    connection = Connection(broken=True)
    message = delivery(connection)
    await message.hold()
    await message.acknowledge()
    assert connection.sent == []


def test_a_message_knows_where_it_came_from() -> None:
    assert delivery(Connection()).origin == {
        "Fillproof-Stream": "ORDERS",
        "Fillproof-Stream-Sequence": "17",
        "Fillproof-Subject": "order.filled.rX",
    }


@pytest.mark.parametrize(
    ("reason", "header"),
    [
        ("expected\r\n\ta number", "expected a number"),
        ("found \u20ac", r"found \u20ac"),
        ("x" * 600, "x" * 500),
    ],
)
def test_a_reason_fits_into_a_header(reason: str, header: str) -> None:
    assert one_line(reason) == header


def test_a_message_of_a_stream_that_was_not_seen_yet_counts_as_none_and_is_stored_all_the_same() -> None:
    message = delivery(Connection())._message  # noqa: SLF001 - the same message, of a stream without a time
    assert NatsDelivery(message, "").source is None
    assert NatsDelivery(message, "2026-11-29T18:00:00+00:00").source is not None
