"""One behaviour, both transports, against the replay node over real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from replaying import recorded
from waiting import limit, until, until_found
from websockets.asyncio.server import ServerConnection, serve

from ledger_client import (
    InvalidRequest,
    LedgerServer,
    Overloaded,
    ProtocolViolation,
    Refused,
    StreamListener,
    Unreachable,
)
from ledger_client.answers import decode
from ledger_client.json_rpc import JsonRpcServer
from ledger_client.websocket import WebSocketServer
from replay_node.faults import Faults
from replay_node.node import Node
from replay_node.pace import Pace
from replay_node.server import listening

SESSION = recorded("canceled")
FIRST = SESSION.ledgers[0].ledger_index
LOOPBACK = "127.0.0.1"

Connect = Callable[..., LedgerServer]


async def told(server: LedgerServer, method: str, **params: object) -> dict[str, Any]:
    return decode(server.name, method, await server.request(method, **params), dict[str, Any])


def json_rpc(url: str, timeout: float | None = None) -> LedgerServer:
    return JsonRpcServer(url, timeout=timeout or limit())


def websocket(
    url: str,
    timeout: float | None = None,
    silence: float | None = None,
    listeners: Sequence[StreamListener] = (),
    on_ledger_closed: Callable[[int], None] = lambda _ledger_index: None,
) -> WebSocketServer:
    return WebSocketServer(
        url.replace("http://", "ws://"),
        on_ledger_closed=on_ledger_closed,
        listeners=listeners,
        timeout=timeout or limit(),
        silence=silence or limit(),
    )


@pytest.fixture(params=[json_rpc, websocket])
def connect(request: pytest.FixtureRequest) -> Connect:
    connector: Connect = request.param
    return connector


@pytest.fixture
def node() -> Node:
    return Node(SESSION, pace=Pace(), faults=Faults())


@pytest.fixture
async def url(node: Node) -> AsyncIterator[str]:
    async with listening(node, LOOPBACK, 0) as address:
        yield address


@pytest.fixture
async def server(connect: Connect, url: str) -> AsyncIterator[LedgerServer]:
    connected = connect(url)
    yield connected
    await connected.close()


async def test_an_answer_is_its_result_and_no_number_in_it_a_float(server: LedgerServer) -> None:
    info = (await told(server, "server_info"))["info"]
    assert info["validated_ledger"]["seq"] == FIRST
    assert info["validated_ledger"]["reserve_inc_xrp"] == Decimal("0.2")
    assert not [value for value in info["validated_ledger"].values() if isinstance(value, float)]


async def test_answers_have_the_shape_of_api_version_2(server: LedgerServer, node: Node) -> None:
    node.close_ledger()
    page = await told(
        server,
        "account_tx",
        account=SESSION.accounts["maker"],
        ledger_index_min=FIRST,
        ledger_index_max=FIRST + 1,
    )
    assert all({"tx_json", "hash", "ledger_hash", "validated"} <= set(tx) for tx in page["transactions"])
    assert page["transactions"]


async def test_requests_made_at_once_get_each_its_own_answer(server: LedgerServer, node: Node) -> None:
    for _ in SESSION.ledgers:
        node.close_ledger()
    indexes = [ledger.ledger_index for ledger in SESSION.ledgers] * 5
    answers = await asyncio.gather(*(told(server, "ledger", ledger_index=index) for index in indexes))
    assert [answer["ledger_index"] for answer in answers] == indexes


async def test_an_authoritative_no_is_a_refusal_with_its_code(server: LedgerServer) -> None:
    with pytest.raises(Refused) as refusal:
        await server.request("ledger", ledger_index=FIRST + 100_000)
    assert refusal.value.code == "lgrNotFound"


@pytest.mark.parametrize(
    ("method", "params"), [("nonsense", {}), ("account_offers", {"account": "nonsense"})]
)
async def test_a_request_that_makes_no_sense_is_our_fault(
    server: LedgerServer, method: str, params: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest, match=method):
        await server.request(method, **params)


@pytest.mark.parametrize("fault", ["slow_down", "overload", "load_warning"])
async def test_every_way_of_saying_that_we_ask_too_much_is_overload_and_it_passes(
    server: LedgerServer, node: Node, fault: str
) -> None:
    await server.request("server_info")
    node.faults.change({fault: 1})
    with pytest.raises(Overloaded):
        await server.request("server_info")
    assert await server.request("server_info")


async def test_nobody_at_the_address_is_unreachable(connect: Connect, unused_tcp_port: int) -> None:
    server = connect(f"http://{LOOPBACK}:{unused_tcp_port}")
    with pytest.raises(Unreachable, match=str(unused_tcp_port)):
        await server.request("server_info")
    await server.close()


async def test_a_server_that_was_away_is_reached_again(connect: Connect, unused_tcp_port: int) -> None:
    server = connect(f"http://{LOOPBACK}:{unused_tcp_port}")
    for _ in range(2):
        async with listening(Node(SESSION, pace=Pace(), faults=Faults()), LOOPBACK, unused_tcp_port):
            assert await server.request("server_info")
        with pytest.raises((Overloaded, Unreachable)):  # the node takes its leave as an overloaded one does
            await server.request("server_info")
    await server.close()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def impostor(handle: Handler) -> AsyncIterator[str]:
    """Listen as something that is no XRPL server."""
    conversations: set[asyncio.Task[Any]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        with contextlib.suppress(ConnectionError):
            await handle(reader, writer)
            writer.close()
            await writer.wait_closed()

    listener = await asyncio.start_server(converse, LOOPBACK, 0)
    async with listener:
        yield f"http://{LOOPBACK}:{listener.sockets[0].getsockname()[1]}"
        await asyncio.wait(conversations, timeout=limit())


async def says_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def hangs_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    pass


async def says_not_found(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope")
    await writer.drain()


@pytest.mark.parametrize("handle", [says_nothing, hangs_up])
async def test_a_server_that_does_not_answer_is_unreachable_in_time(
    connect: Connect, handle: Handler
) -> None:
    async with impostor(handle) as address:
        server = connect(address, timeout=0.3)
        with pytest.raises(Unreachable):
            await server.request("server_info")
        await server.close()


async def test_a_web_server_that_is_no_xrpl_server_is_told_by_its_status(connect: Connect) -> None:
    async with impostor(says_not_found) as address:
        server = connect(address)
        with pytest.raises((ProtocolViolation, Unreachable), match="404"):
            await server.request("server_info")
        await server.close()


async def test_closing_twice_does_no_harm(server: LedgerServer) -> None:
    await server.request("server_info")
    await server.close()


async def test_every_closed_ledger_wakes_over_websocket(node: Node, url: str) -> None:
    closed: list[int] = []
    server = websocket(url, on_ledger_closed=closed.append)
    await server.request("server_info")
    for count in (1, 2):
        node.close_ledger()
        await until(lambda count=count: len(closed) == count)  # type: ignore[misc]
    assert closed == [FIRST + 1, FIRST + 2]
    await server.close()


@pytest.mark.parametrize("fault", ["slow_down", "overload", "load_warning"])
async def test_a_websocket_whose_subscription_fails_is_not_kept_without_its_stream(
    node: Node, url: str, fault: str
) -> None:
    woken = asyncio.Event()
    server = websocket(url, on_ledger_closed=lambda _ledger_index: woken.set())
    node.faults.change({fault: 1})
    with pytest.raises(Overloaded):
        await server.request("server_info")
    await server.request("server_info")
    node.close_ledger()
    async with asyncio.timeout(limit()):
        await woken.wait()
    await server.close()


async def test_a_websocket_on_which_no_ledger_closes_for_too_long_is_given_up(node: Node, url: str) -> None:
    server = websocket(url, silence=0.1)
    await server.request("server_info")
    await until(lambda: not node.on_validated)  # the node has seen the connection end
    assert (await told(server, "server_info"))["info"]
    assert len(node.on_validated) == 1
    await server.close()


async def test_a_websocket_that_the_server_closes_is_replaced_by_a_fresh_one(node: Node, url: str) -> None:
    server = websocket(url)
    await server.request("server_info")
    node.drop_connections()

    async def answers_again() -> bool:
        with contextlib.suppress(Overloaded):  # a question that met the closing
            return bool((await told(server, "server_info"))["info"])
        return False

    await until_found(answers_again)
    await server.close()


class Listener:
    """Notes what it hears."""

    def __init__(self, *streams: str, optional: bool = False) -> None:
        self.streams = streams
        self.optional = optional
        self.noted: list[str] = []

    def opened(self, _answer: msgspec.Raw) -> None:
        self.noted.append("opened")

    def heard(self, kind: str, message: bytes) -> None:
        assert msgspec.json.decode(message)["type"] == kind
        self.noted.append(kind)

    def lost(self) -> None:
        self.noted.append("lost")


async def test_a_listener_hears_its_streams_on_every_connection(node: Node, url: str) -> None:
    listener = Listener("validations")
    server = websocket(url, listeners=[listener])
    await server.request("server_info")
    node.close_ledger()
    heard = ["opened", *["validationReceived"] * 5, "ledgerClosed"]
    await until(lambda: listener.noted == heard)
    node.drop_connections()
    await until(lambda: listener.noted == [*heard, "lost"])
    await server.request("server_info")
    await server.close()
    assert listener.noted == [*heard, "lost", "opened", "lost"]


async def test_a_server_without_optional_streams_is_used_and_one_without_needed_ones_is_not(url: str) -> None:
    optional = Listener("no such stream", optional=True)
    server = websocket(url, listeners=[optional])
    await server.request("server_info")
    await server.close()
    assert optional.noted == ["lost"]
    needing = websocket(url, listeners=[Listener("no such stream")])
    with pytest.raises(Refused, match="malformedStream"):
        await needing.request("server_info")
    await needing.close()


async def test_what_waits_for_an_answer_learns_at_once_that_the_connection_is_lost() -> None:
    async def hangs_up_on_the_second_request(socket: ServerConnection) -> None:
        subscribe = msgspec.json.decode(await socket.recv())
        answer = {"id": subscribe["id"], "type": "response", "status": "success", "result": {}}
        await socket.send(msgspec.json.encode(answer).decode())
        await socket.recv()

    async with serve(hangs_up_on_the_second_request, LOOPBACK, 0) as listener:
        port = next(iter(listener.sockets)).getsockname()[1]
        server = websocket(f"http://{LOOPBACK}:{port}", timeout=10 * limit())
        async with asyncio.timeout(limit()):
            with pytest.raises(Unreachable, match="connection closed"):
                await server.request("server_info")
        await server.close()
