"""What a server may answer when it is asked for balances, and that it is no drift."""

import asyncio

import msgspec
import pytest
from drifting import Spoil, drifts, one_by_one
from in_memory_bus import Memory
from in_process_node import InProcessServer
from one_account import committed_in, follower, to_the_end
from replaying import recorded
from structlog.testing import capture_logs

from ledger_client import Overloaded, Refused, ServerError, Unreachable
from reconciler.safety import balance_check
from reconciler.safety.account_safety import SharedSafety

CHECKED_METHODS = ("account_info", "account_lines")


async def complete(
    server: InProcessServer, safety: SharedSafety | None = None, role: str = "maker"
) -> Memory:
    memory = Memory()
    await one_by_one(memory, server, role, safety or SharedSafety(check_ledgers=1))
    return memory


@pytest.mark.parametrize(
    "trouble",
    [
        Overloaded("node://one", "slowDown"),
        Unreachable("node://one", "gone"),
        Refused("node://one", "lgrNotFound", "no such ledger"),
    ],
    ids=lambda trouble: trouble.kind,
)
@pytest.mark.parametrize("method", CHECKED_METHODS)
async def test_a_query_that_fails_is_no_answer_and_holds_nothing_up(
    method: str, trouble: ServerError
) -> None:
    session = recorded("grid_swept")
    server = InProcessServer(session)
    adopted: list[str] = []

    def fails(asked: str) -> ServerError | None:
        if asked == method:
            adopted.append(method)
        return trouble if asked == method and len(adopted) > 1 else None

    server.trouble = fails
    with capture_logs() as logs:
        memory = await complete(server)
    assert drifts(memory) == []
    assert {line["problem"] for line in logs if line["log_level"] == "warning"} == {str(trouble)}
    assert [event.event_id for event in memory.stream] == [
        event.event_id for event in (await complete(InProcessServer(session))).stream
    ]


@pytest.mark.parametrize(
    ("method", "spoil"),
    [
        ("account_lines", lambda answer: {**answer, "lines": []}),
        ("account_lines", lambda answer: {**answer, "lines": [{"account": "r"}]}),
        (
            "account_lines",
            lambda answer: {**answer, "lines": [{**one, "balance": "7"} for one in answer["lines"]]},
        ),
        ("account_lines", lambda answer: {**answer, "validated": False}),
        (
            "account_info",
            lambda answer: {**answer, "account_data": {**answer["account_data"], "Balance": "7"}},
        ),
        ("account_info", lambda answer: {**answer, "account_data": {}}),
        ("account_info", lambda answer: {**answer, "ledger_index": 1}),
    ],
    ids=[
        "cut short",
        "no lines",
        "other balances",
        "not validated",
        "other drops",
        "no root",
        "other ledger",
    ],
)
async def test_an_answer_that_the_ledger_entry_itself_does_not_bear_out_is_no_drift(
    method: str, spoil: Spoil
) -> None:
    session, memory = recorded("grid_swept"), Memory()
    server = InProcessServer(session)
    one = follower(memory, session, safety=SharedSafety(check_ledgers=1))
    await one.advance(server)
    server.spoil[method] = spoil
    server.close_ledgers()
    with capture_logs() as logs:
        await to_the_end(one, server)
    assert drifts(memory) == []
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == [
        "balances not checked, tried again later"
    ]


async def test_an_account_that_the_list_does_not_know_and_the_ledger_does_has_not_drifted() -> None:
    session, memory = recorded("grid_swept"), Memory()
    server = InProcessServer(session)
    one = follower(memory, session, safety=SharedSafety(check_ledgers=1))
    await one.advance(server)
    server.trouble = lambda method: (
        Refused(server.name, "actNotFound", "who?") if method == "account_info" else None
    )
    server.close_ledgers()
    await to_the_end(one, server)
    assert drifts(memory) == []


class Silent(InProcessServer):
    """Never answers for the trust lines, once it is told so."""

    silent = False

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        if self.silent and method == "account_lines":
            await asyncio.Event().wait()
        return await super().request(method, **params)


async def test_a_check_that_takes_too_long_is_given_up_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(balance_check, "_SECONDS", 0.02)
    memory, server = Memory(), Silent(recorded("grid_swept"))
    one = follower(memory, server.session, safety=SharedSafety(check_ledgers=1))
    await one.advance(server)
    server.silent = True
    with capture_logs() as logs:
        for _ in range(3):
            server.close_ledgers(1)
            await one.advance(server)
    assert drifts(memory) == []
    problems = [line["problem"] for line in logs if line["log_level"] == "warning"]
    assert problems == ["no whole answer within 0.02 s"]
    assert len([line for line in logs if line["event"].startswith("balances not checked")]) == 3


async def test_balances_that_are_not_known_are_learned_and_do_not_drift() -> None:
    memory, server = Memory(), InProcessServer(recorded("grid_swept"))
    one = follower(memory, server.session, safety=SharedSafety(check_ledgers=1))
    await one.advance(server)
    record = committed_in(memory).stored.record
    unknown = msgspec.structs.replace(record, holdings={}, holdings_known=False)
    found = await balance_check.compare_with_server(
        server, unknown, balance_check.BalanceBaseline(explained_at=1)
    )
    assert found.drifts == ()
    assert found.record == record
