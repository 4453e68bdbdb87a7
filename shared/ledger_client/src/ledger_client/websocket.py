"""An XRP Ledger server over WebSocket (ws, wss): requests, a wake-up at each ledgerClosed, and streams.

Every connection is a fresh object with its own waiting requests, so nothing of a lost connection can
reach the next one. A connection on which no ledger closes for too long is dead, whatever TCP says.
"""

import asyncio
import itertools
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from ssl import SSLError

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus, WebSocketException
from websockets.frames import CloseCode

from ledger_client.envelope import (
    API_VERSION,
    LAST_LEDGER,
    MAX_ANSWER,
    Envelope,
    read_envelope,
    result_of,
)
from ledger_client.retry_after import seconds_to_stay_away
from ledger_client.server import (
    InvalidRequest,
    Overloaded,
    ProtocolViolation,
    Refused,
    ServerError,
    Unreachable,
)
from ledger_client.server_urls import server_name
from ledger_client.stream_listener import StreamListener

_log = structlog.get_logger()

_OVERLOADED = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class WebSocketServer:
    """Connects when it is first asked, and again after a connection was lost."""

    def __init__(
        self,
        url: str,
        *,
        on_ledger_closed: Callable[[int], None] | None = None,
        listeners: Sequence[StreamListener] = (),
        timeout: float = 10,
        silence: float = 20,
    ) -> None:
        """Call `on_ledger_closed` with a closed ledger's index; None: stream `ledger` is not subscribed to.

        `listeners`: each is subscribed for, and hears the messages of all streams.

        `timeout`: seconds for a connection and an answer; `silence`: seconds without a closed ledger, after
        which a connection with a stream is given up.
        """
        self._url = url
        self._name = server_name(url)
        self._on_ledger_closed = on_ledger_closed
        self._listeners = listeners
        self._timeout = timeout
        self._silence = silence
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        return self._name

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        """Ask, and return the `result` (see `LedgerServer`)."""
        try:
            async with asyncio.timeout(self._timeout):
                connection = await self._connected()
                return await connection.request(method, params)
        except TimeoutError as error:
            raise Unreachable(self._name, f"{method}: no answer within {self._timeout:g} s") from error

    async def close(self) -> None:
        """Close the connection; the next request would open a new one."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _connected(self) -> "_Connection":
        async with self._connecting:
            if self._connection is not None and self._connection.lost is None:
                return self._connection
            await self.close()
            try:
                socket = await _ConnectOnce(
                    self._url, open_timeout=None, close_timeout=1, max_size=MAX_ANSWER, max_queue=None
                )
            except (OSError, WebSocketException, ValueError) as error:
                raise _refused(self._name, error) from error
            connection = _Connection(
                self._name, socket, self._on_ledger_closed, self._listeners, self._silence
            )
            try:
                if self._on_ledger_closed is not None:
                    await connection.request("subscribe", {"streams": ["ledger"]})
                for listener in self._listeners:
                    await connection.subscribe(listener)
            except BaseException:  # a timeout too: without the stream nothing would wake anybody
                await connection.close()
                raise
            self._connection = connection
            return connection


class _ConnectOnce(connect):
    """A connection to the server that was named, and to none that it names instead."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class _Connection:
    """One connection, from its opening to its end."""

    def __init__(
        self,
        name: str,
        socket: ClientConnection,
        on_ledger_closed: Callable[[int], None] | None,
        listeners: Sequence[StreamListener],
        silence: float,
    ) -> None:
        self.lost: ServerError | None = None
        """Why it ended; None while it lives."""
        self._name = name
        self._socket = socket
        self._on_ledger_closed = on_ledger_closed
        self._listeners = listeners
        self._silence = silence
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Envelope]] = {}
        self._reader = asyncio.create_task(self._read())

    async def request(self, method: str, params: dict[str, object]) -> msgspec.Raw:
        if self.lost is not None:
            raise self.lost
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        body = {**params, "id": number, "command": method, "api_version": API_VERSION}
        try:
            with suppress(WebSocketException):  # the reader meets it too, and tells all who wait
                await self._socket.send(msgspec.json.encode(body).decode())
            return result_of(self._name, method, await answer)
        finally:
            self._waiting.pop(number, None)

    async def subscribe(self, listener: StreamListener) -> None:
        """Subscribe for a listener; one whose streams are optional may do without them."""
        if not listener.streams:
            return
        try:
            answer = await self.request("subscribe", {"streams": list(listener.streams)})
        except (Refused, InvalidRequest) as refusal:
            if not listener.optional:
                raise
            _log.info("a server does not give streams", streams=listener.streams, problem=str(refusal))
        else:
            listener.opened(answer)

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.wait([self._reader])

    async def _read(self) -> None:
        reason: ServerError = Unreachable(self._name, "connection closed")
        try:
            limit = None if self._on_ledger_closed is None else self._silence
            async with asyncio.timeout(limit) as watchdog:
                while True:
                    payload = await self._socket.recv(decode=False)
                    if self._handle(read_envelope(self._name, payload), payload):
                        watchdog.reschedule(asyncio.get_running_loop().time() + self._silence)
        except TimeoutError:
            reason = Unreachable(self._name, f"no ledger closed for {self._silence:g} s")
        except ConnectionClosedOK:
            pass
        except WebSocketException as error:
            reason = _lost(self._name, error)
        except ProtocolViolation as error:
            reason = error
        finally:
            self.lost = reason
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(reason)
            for listener in self._listeners:
                listener.lost()
            await self._socket.close()

    def _handle(self, message: Envelope, payload: bytes) -> bool:
        """Give an answer to the request that waits for it, and all else to the listeners.

        True if the message says that a ledger closed.
        """
        if isinstance(message.type, str) and message.type != "response":
            for listener in self._listeners:
                listener.heard(message.type, payload)
        if message.type == "ledgerClosed":
            ledger_index = message.ledger_index
            if not isinstance(ledger_index, int) or not 0 < ledger_index <= LAST_LEDGER:
                raise ProtocolViolation(
                    self._name, f"ledgerClosed: expected a ledger index, found {ledger_index!r:.50}"
                )
            if self._on_ledger_closed is not None:
                self._on_ledger_closed(ledger_index)
            return True
        if message.type == "response" or message.error is not None:
            number = message.id if isinstance(message.id, int) else 0
            answer = self._waiting.get(number)
            if answer is not None and not answer.done():
                answer.set_result(message)
        return False


def _refused(name: str, error: Exception) -> ServerError:
    """Say why no connection was made; the text of most errors may hold a URL, ours or a proxy's."""
    if isinstance(error, InvalidStatus):
        response = error.response
        found = f"no connection: HTTP status {response.status_code}"
        if response.status_code in _OVERLOADED:
            away = seconds_to_stay_away(response.headers.raw_items(), datetime.now(UTC))
            return Overloaded(name, found, seconds_away=away)
        return Unreachable(name, found)
    return Unreachable(name, f"no connection: {_reason(error)}")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno and not isinstance(error, SSLError):
        return os.strerror(error.errno)  # the error's own text shows the address as Python writes it
    return str(error) if isinstance(error, OSError) else type(error).__name__


def _lost(name: str, error: WebSocketException) -> ServerError:
    """Say why a connection ended: a server that we ask too much of closes it as a policy violation."""
    if isinstance(error, ConnectionClosed) and error.rcvd and error.rcvd.code == CloseCode.POLICY_VIOLATION:
        return Overloaded(name, f"connection closed: {error}")
    return Unreachable(name, f"connection lost: {error}")
