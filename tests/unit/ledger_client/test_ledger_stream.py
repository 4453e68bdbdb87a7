"""What a server's streams show of the newest ledgers, whatever becomes of their messages."""

import asyncio
import random
from typing import Any

import msgspec
import pytest

from ledger_client import LedgerStream, ServerStatus
from ledger_client.ledger_stream import SILENT_SECONDS
from offer_lifecycle import Reserves

OURS, STRANGER = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "rrrrrrrrrrrrrrrrrrrrBZbvji"
KNOWN = ServerStatus(validated=7, complete=((2, 7),), network_id=21, reserves=Reserves(base=10, increment=2))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def closed(index: int, count: int | None, **changed: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
    message = {
        "ledger_index": index,
        "ledger_hash": f"H{index}",
        "ledger_time": 4 * index,
        "txn_count": count,
        "reserve_base": 1_000_000,
        "reserve_inc": 200_000,
        "validated_ledgers": f"2-{index}",
    }
    return "ledgerClosed", {**message, **changed}


def row(index: int, place: int, account: str = STRANGER, **changed: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
    node = {"LedgerEntryType": "AccountRoot", "LedgerIndex": "00", "FinalFields": {"Account": account}}
    message = {
        "ledger_index": index,
        "ledger_hash": f"H{index}",
        "hash": f"{index}.{place}",
        "validated": True,
        "tx_json": {"TransactionType": "Payment", "Account": account, "Sequence": 1, "Fee": "10"},
        "meta": {
            "TransactionIndex": place,
            "TransactionResult": "tesSUCCESS",
            "AffectedNodes": [{"ModifiedNode": node}],
        },
    }
    return "transaction", {**message, **changed}


def stream_of(*messages: tuple[str, dict[str, Any]], clock: Clock | None = None) -> LedgerStream:
    """Return a stream that began at ledger 10 and brought these messages."""
    stream = LedgerStream(clock=clock or Clock(), patience=0.01)
    stream.opened(msgspec.Raw(msgspec.json.encode(closed(10, None)[1])))
    hear(stream, *messages)
    return stream


def hear(stream: LedgerStream, *messages: tuple[str, dict[str, Any]]) -> None:
    for kind, message in messages:
        stream.heard(kind, msgspec.json.encode(message))


async def is_quiet(stream: LedgerStream, last: int = 11) -> bool:
    return await stream.untouched(OURS, "H10", 11, last) is not None


async def test_a_ledger_with_all_of_its_transactions_and_none_of_ours_is_quiet_and_has_its_header() -> None:
    stream = stream_of(closed(11, 2), row(11, 0), row(11, 1))
    [header] = await stream.untouched(OURS, "H10", 11, 11) or []
    assert (header.ledger_hash, header.parent_hash) == ("H11", "H10")
    assert (header.close_time, header.parent_close_time) == (44, 40)


async def test_in_whatever_order_and_however_often_the_messages_come_the_ledger_is_the_same() -> None:
    messages = [closed(11, 3), *(row(11, place) for place in range(3))] * 2
    for seed in range(10):
        random.Random(seed).shuffle(messages)  # noqa: S311 - an order, no secret
        assert await is_quiet(stream_of(*messages))


@pytest.mark.parametrize(
    "messages",
    [
        [closed(11, 2), row(11, 0)],
        [closed(11, 2), row(11, 1), row(11, 2)],
        [closed(11, 1), row(11, 0), row(11, 1)],
        [row(11, 0), row(11, 1)],
        [closed(11, 1), row(11, 0, OURS)],
        [closed(11, 2), row(11, 1, OURS)],
        [closed(11, 1), row(11, 0, validated=False)],
        [closed(11, 1), row(11, 0, ledger_hash="H11b")],
        [closed(11, 0), closed(11, 0, ledger_hash="H11b")],
        [closed(10, 0, ledger_hash="H10b"), closed(11, 0)],
        [closed(11, 1), row(11, 0), row(11, 0, hash="another")],
        [closed(11, 1), ("transaction", {"ledger_index": 11})],
    ],
    ids=[
        "one lost",
        "the first lost",
        "one too many",
        "not closed",
        "ours",
        "ours behind a gap",
        "not validated",
        "of another ledger",
        "two hashes",
        "two hashes of the one before",
        "two at one place",
        "not readable",
    ],
)
async def test_a_ledger_that_is_not_shown_whole_or_contradicts_itself_is_not_quiet(
    messages: list[tuple[str, dict[str, Any]]],
) -> None:
    assert not await is_quiet(stream_of(*messages))


async def test_a_stream_that_does_not_go_on_from_the_cursor_says_nothing() -> None:
    stream = stream_of(closed(11, 0), closed(12, 0))
    assert await stream.untouched(OURS, "another", 11, 11) is None
    assert await stream.untouched(OURS, "H9", 10, 11) is None
    assert await is_quiet(stream, last=12)


async def test_a_reader_waits_for_the_transactions_and_not_again_after_it_has_waited_in_vain() -> None:
    stream = stream_of(closed(11, 1))
    waiting = asyncio.create_task(is_quiet(stream))
    await asyncio.sleep(0)
    hear(stream, row(11, 0))
    assert await waiting
    hear(stream, closed(12, 1))
    assert not await is_quiet(stream, last=12)
    began = asyncio.get_running_loop().time()
    assert not await is_quiet(stream, last=12)
    assert asyncio.get_running_loop().time() - began < 0.01


async def test_the_beginning_of_a_ledger_ends_at_the_first_gap() -> None:
    stream = stream_of(closed(11, 4), row(11, 0, OURS), row(11, 2, OURS))
    beginning = stream.beginning(OURS, "H10", 11)
    assert beginning is not None
    assert [tx.hash for tx in beginning.transactions] == ["11.0"]
    hear(stream, row(11, 1))
    beginning = stream.beginning(OURS, "H10", 11)
    assert beginning is not None
    assert [tx.hash for tx in beginning.transactions] == ["11.0", "11.2"]
    assert beginning.reserves == Reserves(base=1_000_000, increment=200_000)
    assert stream.beginning("rNobody", "H10", 11) is None
    assert stream.beginning(OURS, "another", 11) is None


def test_the_status_follows_the_stream_until_it_is_silent_or_lost() -> None:
    clock = Clock()
    stream = stream_of(closed(11, 0), clock=clock)
    status = stream.status(KNOWN)
    assert status is not None
    assert (status.validated, status.complete, status.network_id) == (11, ((2, 11),), 21)
    assert status.reserves == Reserves(base=1_000_000, increment=200_000)
    clock.now += SILENT_SECONDS + 0.1
    assert stream.status(KNOWN) is None
    hear(stream, closed(12, 0))
    assert stream.status(KNOWN) is not None
    stream.lost()
    assert stream.status(KNOWN) is None


async def test_what_a_lost_connection_has_shown_is_forgotten_and_nobody_waits_for_it() -> None:
    stream = stream_of(closed(11, 1))
    waiting = asyncio.create_task(is_quiet(stream))
    await asyncio.sleep(0)
    stream.lost()
    assert not await waiting
    hear(stream, row(11, 0))
    assert not await is_quiet(stream)


def test_nonsense_in_a_message_is_as_good_as_a_lost_message() -> None:
    stream = stream_of(closed(11, 0))
    for message in (b"", b"[]", b'{"ledger_index":-1}', b'{"ledger_index":1e99}', b"\xff", b"[" * 100_000):
        stream.heard("ledgerClosed", message)
        stream.heard("transaction", message)
    hear(
        stream,
        row(10**9, 0),
        row(11, -1),
        row(11, 10**7),
        row(
            11,
            0,
            meta={"TransactionIndex": 0, "AffectedNodes": [{"CreatedNode": {"NewFields": {"LowLimit": {}}}}]},
        ),
    )
    status = stream.status(KNOWN)
    assert status is not None
    assert status.validated == 11
