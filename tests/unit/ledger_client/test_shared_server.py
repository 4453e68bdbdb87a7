"""What many followers ask at once is asked of the server once."""

import asyncio

import msgspec
import pytest
from in_process_node import InProcessServer
from replaying import recorded

from ledger_client import LedgerStream, SharedServer, Unreachable, ledger_header, server_status
from reconciler.fleet.wakeup import Wakeup

SESSION = recorded("grid_swept")
FIRST = SESSION.ledgers[0].ledger_index


class Shared:
    def __init__(self) -> None:
        self.now = 0.0
        self.server = InProcessServer(SESSION)
        self.wakeup = Wakeup(poll_seconds=1)
        self.shared = SharedServer(self.server, last_close=self.wakeup.next_close, clock=lambda: self.now)

    def times(self, method: str) -> int:
        return sum(asked == method for asked, _ in self.server.asked)


@pytest.fixture
def many() -> Shared:
    return Shared()


async def test_a_thousand_followers_of_one_wake_up_ask_where_the_server_is_once(many: Shared) -> None:
    await asyncio.gather(*(server_status(many.shared) for _ in range(1000)))
    assert many.times("server_info") == 1


async def test_after_a_closed_ledger_it_is_asked_anew(many: Shared) -> None:
    before = await server_status(many.shared)
    many.server.close_ledgers(1)
    many.wakeup.notify()
    assert (await server_status(many.shared)).validated == before.validated + 1


async def test_where_nothing_tells_of_closed_ledgers_a_moment_is_enough(many: Shared) -> None:
    before = await server_status(many.shared)
    many.server.close_ledgers(1)
    many.now += 0.2
    assert (await server_status(many.shared)).validated == before.validated + 1


def close_by_stream(stream: LedgerStream, server: InProcessServer) -> None:
    """Close a ledger, and let the stream say so."""
    server.close_ledgers(1)
    closed = server.node.chain.validated
    message = {
        "ledger_index": closed.ledger_index,
        "ledger_hash": server.node.chain.hash_of(closed),
        "ledger_time": closed.header["close_time"],
        "txn_count": 0,
        "reserve_base": 1_000_000,
        "reserve_inc": 200_000,
        "validated_ledgers": server.node.chain.complete_ledgers(),
    }
    stream.heard("ledgerClosed", msgspec.json.encode(message))


async def test_where_the_server_is_costs_a_question_only_while_its_stream_is_silent(many: Shared) -> None:
    stream = LedgerStream(clock=lambda: many.now)
    shared = SharedServer(many.server, last_close=lambda: many.now, clock=lambda: many.now, stream=stream)
    await server_status(shared)
    for _ in range(3):
        close_by_stream(stream, many.server)
        many.now += 4
        assert (await server_status(shared)).validated == many.server.node.chain.validated.ledger_index
    assert many.times("server_info") == 1
    for _ in range(10 * 10):  # ten seconds of silence, of which the first two are not long
        many.now += 0.1
        await server_status(shared)
    assert many.times("server_info") in range(7, 11)


async def test_a_header_is_asked_once_for_a_few_seconds(many: Shared) -> None:
    for _ in range(3):
        await ledger_header(many.shared, FIRST)
    assert many.times("ledger") == 1
    many.now += 6
    await ledger_header(many.shared, FIRST)
    assert many.times("ledger") == 2


async def test_different_questions_get_different_answers(many: Shared) -> None:
    many.server.close_ledgers(1)
    found = [(await ledger_header(many.shared, index)).ledger_index for index in (FIRST, FIRST + 1)]
    assert found == [FIRST, FIRST + 1]


async def test_a_failure_is_told_to_all_who_waited_and_is_not_remembered(many: Shared) -> None:
    many.server.trouble = lambda _: Unreachable("node://one", "gone")
    answers = await asyncio.gather(*(server_status(many.shared) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in answers] == [Unreachable] * 3
    many.server.trouble = lambda _: None
    assert (await server_status(many.shared)).validated == FIRST


async def test_what_is_of_one_account_alone_is_passed_on(many: Shared) -> None:
    for _ in range(2):
        await many.shared.request("account_info", account=SESSION.accounts["maker"], ledger_index=FIRST)
    assert many.times("account_info") == 2


async def test_closing_ends_the_questions_whose_askers_are_gone() -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    class Silent(InProcessServer):
        async def request(self, method: str, /, **params: object) -> msgspec.Raw:  # noqa: ARG002 - never answered
            asked.set()
            try:
                return await asyncio.get_running_loop().create_future()
            finally:
                ended.set()

    server = SharedServer(Silent(SESSION), last_close=lambda: 0, clock=lambda: 0.0)
    gone = asyncio.create_task(server.request("server_info"))
    await asked.wait()
    gone.cancel()
    await asyncio.wait([gone])
    assert not ended.is_set()
    await server.close()
    assert ended.is_set()
