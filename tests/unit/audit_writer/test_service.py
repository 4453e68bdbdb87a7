"""What becomes of a batch, with a store and a bus that can be told what to do."""

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_events import ANOMALY, SAMPLES, event, mixed
from waiting import limit

from audit_writer.metrics import MALFORMED, REFUSED, STORED, Metrics
from audit_writer.ports import Delivery, LetterUndelivered, Rows, RowsRefused, Source, StoreUnavailable, Taken
from audit_writer.service import AuditWriter, read, rows_of
from order_events import Malformed, decode, encode
from retries import Backoff

NO_EVENT = b"no event"


@dataclass
class Message:
    """A delivery that remembers its answers."""

    payload: bytes
    position: str = "ORDERS.1"
    source: Source | None = None
    origin: Mapping[str, str] = field(default_factory=lambda: {"subject": "order.x"})
    answers: list[str] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)

    async def acknowledge(self) -> None:
        self.answers.append("acknowledged")

    async def terminate(self) -> None:
        self.answers.append("terminated")

    async def give_back(self) -> None:
        self.answers.append("given back")

    async def hold(self) -> None:
        self.held.set()


class Table:
    """A store: `before` may refuse the rows or be away."""

    def __init__(self, before: Callable[[Rows], None] = lambda _rows: None) -> None:
        self.texts: list[str] = []
        self.writes = 0
        self._before = before

    async def write(self, rows: Rows) -> int:
        self.writes += 1
        self._before(rows)
        self.texts.extend(rows.events)
        return len(rows.events)


class Letters:
    """Dead letters; `refuse` makes the bus leave them unconfirmed."""

    def __init__(self, *, refuse: bool = False) -> None:
        self.kept: list[tuple[bytes, str]] = []
        self._refuse = refuse

    async def publish(self, delivery: Delivery, reason: str) -> None:
        if self._refuse:
            raise LetterUndelivered("no answer")
        self.kept.append((delivery.payload, reason))


def messages(count: int) -> list[Message]:
    return [Message(encode(one)) for one in mixed(count)]


def make_writer(
    store: Table,
    letters: Letters,
    *,
    hold_every: float = 60,
    backoff: Backoff | None = None,
    stopping: asyncio.Event | None = None,
) -> AuditWriter:
    return AuditWriter(
        store=store,
        dead_letters=letters,
        metrics=Metrics(),
        stopping=stopping or asyncio.Event(),
        hold_every=hold_every,
        chance=lambda: 0.0,
        backoff=backoff or Backoff(shortest=0.0, longest=0.0),
    )


def answers(batch: Sequence[Message]) -> list[list[str]]:
    return [message.answers for message in batch]


def refuse_with(word: str) -> Callable[[Rows], None]:
    def refuse(rows: Rows) -> None:
        if any(word in text for text in rows.events):
            raise RowsRefused(f"found {word}")

    return refuse


def test_a_batch_has_a_row_an_event_a_row_a_fill_and_a_row_an_anomaly() -> None:
    ordinary = event(ANOMALY, 9, anomaly=False)
    batch = [*messages(4), Message(encode(ordinary))]
    rows = rows_of([read(message) for message in batch])
    texts = [message.payload.decode() for message in batch]
    assert rows == Rows(events=tuple(texts), fills=(texts[1],), anomalies=(texts[3],))


def test_the_messages_of_a_batch_are_noted_with_their_stream_and_ledgers() -> None:
    batch = messages(4)
    for number, message in enumerate(batch[:3]):
        message.source = Source(stream="ORDERS", identity="a" if number < 2 else "b", sequence=7 - number)
    ledgers = [one.ledger_index or 0 for one in mixed(3)]
    first, last = min(ledgers[:2]), max(ledgers[:2])
    assert rows_of([read(message) for message in batch]).taken == (
        Taken(stream="ORDERS", identity="a", sequences=(6, 7), first_ledger=first, last_ledger=last),
        Taken(stream="ORDERS", identity="b", sequences=(5,), first_ledger=ledgers[2], last_ledger=ledgers[2]),
    )


async def test_what_was_set_apart_is_noted_before_it_never_comes_again() -> None:
    bad = Message(NO_EVENT, source=Source(stream="ORDERS", identity="a", sequence=3))
    noted: list[tuple[Taken, ...]] = []

    def note(rows: Rows) -> None:
        assert "terminated" not in bad.answers
        noted.append(rows.taken)

    await make_writer(Table(note), Letters()).handle([bad])
    assert noted == [
        (Taken(stream="ORDERS", identity="a", sequences=(3,), first_ledger=None, last_ledger=None),)
    ]
    assert bad.answers == ["terminated"]


def test_what_an_engine_announces_is_no_order_event() -> None:
    announcement = SAMPLES.joinpath("engine.order.submitted.json").read_bytes()
    with pytest.raises(Malformed, match=r"found engine\.order\.submitted"):
        read(Message(announcement))


def test_a_payload_that_is_not_text_is_malformed_even_where_no_field_is_read() -> None:
    payload = encode(event("order.canceled", 1))[:-1] + b',"later":"\xff"}'
    decode(payload)  # no field of this version is wrong
    with pytest.raises(Malformed, match="expected UTF-8"):
        read(Message(payload))


async def test_a_batch_is_written_once_and_then_acknowledged() -> None:
    batch = messages(4)

    def nothing_is_acknowledged_yet(_rows: Rows) -> None:
        assert answers(batch) == [[], [], [], []]

    store = Table(nothing_is_acknowledged_yet)
    await make_writer(store, Letters()).handle(batch)
    assert (store.writes, len(store.texts)) == (1, 4)
    assert answers(batch) == [["acknowledged"]] * 4


async def test_a_bad_message_is_set_apart_and_the_others_are_stored() -> None:
    batch = [*messages(2), Message(NO_EVENT), *messages(1)]
    store, letters = Table(), Letters()
    await make_writer(store, letters).handle(batch)
    assert [kept for kept, _ in letters.kept] == [NO_EVENT]
    assert "JSON is malformed" in letters.kept[0][1]
    assert answers(batch) == [["acknowledged"], ["acknowledged"], ["terminated"], ["acknowledged"]]


async def test_a_message_without_a_confirmed_dead_letter_stays_unanswered() -> None:
    batch = [Message(NO_EVENT)]
    await make_writer(Table(), Letters(refuse=True)).handle(batch)
    assert answers(batch) == [[]]


@given(bad=st.lists(st.booleans(), min_size=1, max_size=40))
async def test_exactly_what_the_store_refuses_is_set_apart(bad: list[bool]) -> None:
    events = [
        event("order.canceled", number, client_order_id="poison" if wrong else None)
        for number, wrong in enumerate(bad)
    ]
    batch = [Message(encode(one)) for one in events]
    store, letters = Table(refuse_with("poison")), Letters()
    await make_writer(store, letters).handle(batch)
    assert answers(batch) == [["terminated"] if wrong else ["acknowledged"] for wrong in bad]
    assert [reason for _, reason in letters.kept] == ["found poison"] * sum(bad)
    assert len(store.texts) == len(bad) - sum(bad)


async def test_one_bad_row_of_500_costs_few_writes() -> None:
    batch = messages(500)
    batch[123] = Message(encode(event("order.canceled", 123, client_order_id="poison")))
    store = Table(refuse_with("poison"))
    await make_writer(store, Letters()).handle(batch)
    assert len(store.texts) == 499
    assert store.writes <= 20


async def test_an_outage_is_waited_out() -> None:
    attempts = itertools.count(1)

    def away_three_times(_rows: Rows) -> None:
        if next(attempts) <= 3:
            raise StoreUnavailable("connection refused")

    batch, store = messages(4), Table(away_three_times)
    await make_writer(store, Letters()).handle(batch)
    assert (store.writes, len(store.texts)) == (4, 4)
    assert answers(batch) == [["acknowledged"]] * 4


async def test_messages_are_held_while_the_store_takes_its_time() -> None:
    batch = messages(3)

    class Slow(Table):
        async def write(self, rows: Rows) -> int:
            for message in batch:
                await message.held.wait()
            return await super().write(rows)

    store = Slow()
    await asyncio.wait_for(make_writer(store, Letters(), hold_every=0.001).handle(batch), limit())
    assert answers(batch) == [["acknowledged"]] * 3


async def test_a_stop_during_an_outage_gives_the_batch_back() -> None:
    def away(_rows: Rows) -> None:
        raise StoreUnavailable("connection refused")

    batch = messages(3)
    stopping = asyncio.Event()
    writer = make_writer(Table(away), Letters(), backoff=Backoff(shortest=60, longest=60), stopping=stopping)
    handling = asyncio.create_task(writer.handle(batch))
    await asyncio.sleep(0)
    stopping.set()
    await asyncio.wait_for(handling, limit())
    assert answers(batch) == [["given back"]] * 3


async def test_a_stop_lets_a_batch_finish_while_the_store_answers() -> None:
    batch = messages(3)
    stopping = asyncio.Event()
    stopping.set()
    await make_writer(Table(), Letters(), stopping=stopping).handle(batch)
    assert answers(batch) == [["acknowledged"]] * 3


async def test_the_metrics_tell_what_became_of_each_event() -> None:
    metrics = Metrics()
    writer = AuditWriter(
        store=Table(refuse_with("poison")),
        dead_letters=Letters(),
        metrics=metrics,
        stopping=asyncio.Event(),
        hold_every=60,
        chance=lambda: 0.0,
    )
    poison = Message(encode(event("order.canceled", 9, client_order_id="poison")))
    await writer.handle([*messages(2), Message(NO_EVENT), poison])

    def counted(event_type: str, result: str) -> float | None:
        labels = {"event_type": event_type, "result": result}
        return metrics.registry.get_sample_value("audit_writer_events_total", labels)

    assert counted("order.accepted", STORED) == 1
    assert counted("order.filled", STORED) == 1
    assert counted("order.canceled", REFUSED) == 1
    assert counted("unknown", MALFORMED) == 1
    assert metrics.registry.get_sample_value("audit_writer_batch_size_sum") == 4
