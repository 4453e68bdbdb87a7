"""Answers that are wrong in every way that was thought of are the server's fault, by name, and bounded."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest
from hostile_answers import HUGE, RAW_VALUES, HostileServer
from hypothesis import given
from hypothesis import strategies as st
from in_memory_bus import Memory
from one_account import follower
from replaying import recorded

from ledger_client import (
    Endless,
    LedgerServer,
    ProtocolViolation,
    Refused,
    ServerError,
    account_history,
    account_root,
    answers,
    ledger_entry,
    ledger_header,
    listed_offers,
    read_envelope,
    reserves_after,
    result_of,
    server_status,
)
from ledger_client.repeated_members import LARGEST, repeats_a_member
from reconciler.following.account_reader import HistoryMissing
from reconciler.safety.account_safety import SharedSafety

ACCOUNT = "rOwner"
HEADER = {
    "ledger_index": 7,
    "ledger_hash": "A7",
    "parent_hash": "A6",
    "close_time": 28,
    "parent_close_time": 24,
}
STATUS = {
    "info": {
        "complete_ledgers": "1-9",
        "network_id": 1,
        "validated_ledger": {"seq": 9, "reserve_base_xrp": 1, "reserve_inc_xrp": 0.2},
    }
}
ROWS = {"ledger_index_min": 7, "ledger_index_max": 7, "transactions": []}
FEES = {"ReserveBaseDrops": "1000000", "ReserveIncrementDrops": "200000"}


class Saying:
    """A server that says the same to every question."""

    name = "node://saying"

    def __init__(self, result: bytes) -> None:
        self._result = result
        self.asked = 0

    async def request(self, method: str, /, **_params: object) -> msgspec.Raw:
        self.asked += 1
        envelope = b'{"status":"success","result":' + self._result + b"}"
        return result_of(self.name, method, read_envelope(self.name, envelope))

    async def close(self) -> None:
        """Nothing is open."""


Question = Callable[[LedgerServer], Any]
QUESTIONS: dict[str, tuple[Question, dict[str, Any], tuple[str, ...]]] = {
    "server_info": (server_status, STATUS, ("info.complete_ledgers", "info.validated_ledger.seq")),
    "reserves": (
        server_status,
        STATUS,
        ("info.validated_ledger.reserve_base_xrp", "info.validated_ledger.reserve_inc_xrp"),
    ),
    "network": (server_status, STATUS, ("info", "info.network_id")),
    "ledger": (
        lambda server: ledger_header(server, 7),
        {"ledger_index": 7, "validated": True, "ledger": HEADER},
        (
            "ledger",
            "ledger.ledger_index",
            "ledger.close_time",
            "ledger.parent_close_time",
        ),
    ),
    "account_info": (
        lambda server: account_root(server, ACCOUNT, 7),
        {"ledger_index": 7, "validated": True, "account_data": {"Balance": "1"}},
        ("account_data", "ledger_index"),
    ),
    "account_offers": (
        lambda server: listed_offers(server, ACCOUNT, 7),
        {"ledger_index": 7, "validated": True, "offers": []},
        ("offers", "ledger_index"),
    ),
    "ledger_entry": (
        lambda server: ledger_entry(server, 7, {"index": "AB"}),
        {"ledger_index": 7, "validated": True, "node": {}},
        ("node",),
    ),
    "fee_settings": (
        lambda server: reserves_after(server, 7),
        {"ledger_index": 7, "validated": True, "node": FEES},
        ("node.ReserveBaseDrops", "node.ReserveIncrementDrops"),
    ),
    "account_tx": (
        lambda server: account_history(server, ACCOUNT, 7, 7),
        ROWS,
        ("ledger_index_min", "ledger_index_max", "transactions"),
    ),
}
PLACES = [(name, place) for name, (_, _, places) in QUESTIONS.items() for place in places]
WRONG = [b"1e999999", HUGE.encode(), b"[" * 300_000, b'"NaN"', b"-1", b"true", b'"\xff"', None]
"""None: the member is missing."""


def written(result: dict[str, Any], place: str, value: bytes | None) -> bytes:
    """Write a result in which another value stands at a place, or none."""
    copy = json.loads(json.dumps(result))
    *path, last = place.split(".")
    inner = copy
    for name in path:
        inner = inner[name]
    if value is None:
        del inner[last]
        return json.dumps(copy).encode()
    inner[last] = "@"
    return json.dumps(copy).encode().replace(b'"@"', value)


@pytest.mark.parametrize(("name", "place"), PLACES, ids=lambda part: part)
async def test_a_member_that_is_missing_or_means_nothing_is_the_server_s_fault(name: str, place: str) -> None:
    question, result, _ = QUESTIONS[name]
    for value in WRONG:
        if value is None and place == "info.network_id":
            continue  # servers of the main network may leave it out
        with pytest.raises(ProtocolViolation, match=r"^node://saying: "):
            await question(Saying(written(result, place, value)))


@pytest.mark.parametrize("name", QUESTIONS)
async def test_the_right_answers_of_these_questions_are_read(name: str) -> None:
    question, result, _ = QUESTIONS[name]
    await question(Saying(json.dumps(result).encode()))


@pytest.mark.parametrize("name", QUESTIONS)
async def test_an_answer_that_names_a_member_twice_is_refused(name: str) -> None:
    question, result, _ = QUESTIONS[name]
    body = json.dumps(result).encode()
    first = next(iter(result))
    twice = body[:-1] + f', "{first}": {json.dumps(result[first])}}}'.encode()
    with pytest.raises(ProtocolViolation, match="each member of an object once"):
        await question(Saying(twice))


@pytest.mark.parametrize("value", RAW_VALUES, ids=lambda value: repr(value[:20]))
async def test_an_answer_that_is_something_else_is_refused(value: bytes) -> None:
    with pytest.raises(ServerError):
        await server_status(Saying(value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON, min_size=1, max_size=4), st.data())
def test_repeated_members_are_seen_whatever_the_texts_hold(
    document: dict[str, Any], data: st.DataObject
) -> None:
    ascii_only = data.draw(st.booleans())
    separators = data.draw(st.sampled_from([(",", ":"), (", ", ": ")]))  # as servers write, and as none does
    once = json.dumps(document, ensure_ascii=ascii_only, separators=separators).encode(
        "utf-8", "surrogatepass"
    )
    name = data.draw(st.sampled_from(sorted(document)))
    twice = (
        once[:-1] + b", " + json.dumps(name).encode() + b": " + json.dumps(data.draw(JSON)).encode() + b"}"
    )
    try:
        json.loads(once.decode())
    except UnicodeDecodeError:
        return  # a lone surrogate: no JSON
    assert not repeats_a_member(once)
    assert repeats_a_member(twice)


def test_long_answers_are_not_looked_into_for_repeated_members() -> None:
    assert not repeats_a_member(b'{"a":1,"a":"' + b"x" * LARGEST + b'"}')


class Paging:
    """A server whose account_offers has a page for every marker, made by the test."""

    name = "node://paging"

    def __init__(self, page: Callable[[object], dict[str, Any]]) -> None:
        self._page = page
        self.asked = 0

    async def request(self, _method: str, /, **params: object) -> msgspec.Raw:
        self.asked += 1
        page = {"ledger_index": 7, "validated": True, "offers": [], **self._page(params.get("marker"))}
        return msgspec.Raw(msgspec.json.encode(page))

    async def close(self) -> None:
        """Nothing is open."""


OFFER = {"seq": 1}
ENDLESS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "the same marker with rows": lambda _: {"offers": [OFFER], "marker": "m"},
    "the same marker without rows": lambda _: {"marker": "m"},
    "markers in a circle": lambda marker: {"offers": [OFFER], "marker": {None: 1, 1: 2, 2: 3, 3: 1}[marker]},
    "empty pages in a circle": lambda marker: {"marker": {None: 1, 1: 2, 2: 1}[marker]},
    "ever new markers": lambda marker: {"offers": [OFFER], "marker": (marker or 0) + 1},
    "ever new markers without rows": lambda marker: {"marker": (marker or 0) + 1},
    "a huge marker": lambda _: {"marker": "m" * 5000},
}


@pytest.mark.parametrize("kind", ENDLESS)
async def test_pages_without_an_end_are_given_up(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_MOST_PAGES", 50)
    server = Paging(ENDLESS[kind])
    with pytest.raises(Endless) as endless:
        await listed_offers(server, ACCOUNT, 7)
    assert endless.value.kind == "endless"
    assert server.asked <= 50


async def test_pages_of_too_many_bytes_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_MOST_BYTES", 10_000)
    server = Paging(lambda marker: {"offers": [{"text": "x" * 1000}], "marker": (marker or 0) + 1})
    with pytest.raises(Endless, match="10000 bytes"):
        await listed_offers(server, ACCOUNT, 7)
    assert server.asked < 12


async def test_a_busy_server_s_empty_pages_with_the_marker_that_was_given_are_no_fault() -> None:
    left = 8

    def page(marker: object) -> dict[str, Any]:
        nonlocal left
        left -= 1
        return {"offers": [OFFER]} if left < 0 else {"marker": marker or "start"}

    assert await listed_offers(Paging(page), ACCOUNT, 7) == [OFFER]


async def test_a_server_s_own_words_are_short_and_printable_in_an_error() -> None:
    said = {"error": "odd\x1b[2J", "error_message": "line\nbreak\u202e" + "x" * 10_000}
    with pytest.raises(Refused) as refusal:
        result_of("node://one", "ledger", read_envelope("node://one", json.dumps({"result": said}).encode()))
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 600


@pytest.mark.parametrize("session", ["partial_then_canceled", "autobridged"])
async def test_an_account_read_from_a_server_that_changes_its_answers_meets_faults_of_a_server_only(
    session: str,
) -> None:
    chance = Random(session)  # noqa: S311 - no secret
    changed, faults = 0, set()
    for _ in range(60):
        server = HostileServer(recorded(session), "node://hostile", chance.getrandbits(32), share=0.15)
        server.close_ledgers()
        one = follower(Memory(), server.session, safety=SharedSafety(check_ledgers=2))
        for _ in range(5):
            try:
                await one.advance(server)
            except (ServerError, HistoryMissing) as fault:
                faults.add(str(fault).partition(": ")[0])
        changed += server.changed
    assert changed > 60
    assert faults == {"node://hostile"}
