"""The node: a session, what of it has closed, and the answer to every request."""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import bisect_right
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING

from replay_node.blobs import transaction_blobs
from replay_node.chain import Chain
from replay_node.entries import EntryHistory
from replay_node.errors import RpcError
from replay_node.methods import ADMIN, METHODS
from replay_node.shapes import Shapes
from replay_node.streams import Streams
from replay_node.transactions import TransactionIndex
from replay_node.validators import MadeValidators
from replay_node.views import LedgerView

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from replay_node.faults import Faults
    from replay_node.pace import Pace
    from replay_node.request import Request
    from replay_node.session import Json, RecordedLedger, Session

log = logging.getLogger(__name__)

_VIEWS_KEPT = 64
_SECONDS_TO_ASK = 0.1
"""For which readers that set the pace may ask for a ledger that a stream has told whole."""
VALIDATORS = 5
"""Who sign for a session's ledgers, unless a caller says otherwise; four of them are a quorum."""


class Node:
    """One server on one recorded session. `port` is known once it listens."""

    def __init__(  # noqa: PLR0913 - what the command line sets, by keyword
        self,
        session: Session,
        *,
        pace: Pace,
        faults: Faults,
        network_id: int | None = None,
        validators: int = VALIDATORS,
        encode_ahead: bool = False,
    ) -> None:
        """Begin with the first ledger closed; `validators`: so many invented ones sign for the ledgers.

        `encode_ahead`: whether a ledger's blobs are ready when its subscribers are told of it.
        """
        self.pace = pace
        self.faults = faults
        self.network_id = network_id
        self._encode_ahead = encode_ahead
        self.port = 0
        self.started = time.monotonic()
        self.chain = Chain(session.ledgers, faults)
        self._ledgers = session.ledgers
        self._indexed: tuple[Sequence[RecordedLedger], TransactionIndex] | None = None
        self.shapes = Shapes(self.chain, network_id)
        self.validators = MadeValidators(validators, session.ledgers)
        self.streams = Streams(self.chain, self.shapes, self.validators, faults)
        self.on_validated: set[Callable[[RecordedLedger], None]] = set()
        self.on_drop: set[Callable[[], None]] = set()
        self._entries = EntryHistory(session.ledgers)
        self._view = lru_cache(maxsize=_VIEWS_KEPT)(self._build_view)
        self._true_blobs = cache(self._encode)
        self._recorded = {ledger.ledger_index: ledger for ledger in session.ledgers}

    @property
    def transactions(self) -> TransactionIndex:
        """The session's transactions, as the node shows them now."""
        shown = self.chain.ledgers if self.chain.shown.lies else self._ledgers
        if self._indexed is None or self._indexed[0] is not shown:
            self._indexed = shown, TransactionIndex(shown)
        return self._indexed[1]

    def view(self, ledger: RecordedLedger) -> LedgerView:
        """Return the state after a ledger, or, from a server that is stale, after an earlier one."""
        stale, newest = self.faults.stale, self.chain.validated.ledger_index
        return self._view(max(min(ledger.ledger_index, newest - stale), self.chain.first_index))

    def _build_view(self, ledger_index: int) -> LedgerView:
        """Return the state after the newest recorded ledger up to an index."""
        place = bisect_right(self._ledgers, ledger_index, key=lambda one: one.ledger_index)
        return LedgerView(self._ledgers[place - 1], self._entries)

    def blobs(self, ledger: RecordedLedger) -> list[Json]:
        """Return the ledger's transactions in binary; encoding takes two milliseconds for each.

        They are those that its hash covers, whatever the server shows as JSON.
        """
        if self.chain.shown.is_true(ledger):
            return self._true_blobs(ledger.ledger_index)
        return [_encoded(raw) for raw in ledger.transactions]

    def _encode(self, ledger_index: int) -> list[Json]:
        return [_encoded(raw) for raw in self._recorded[ledger_index].transactions]

    def close_ledger(self) -> None:
        """Close the next recorded ledger, if one is left, and tell the subscribers."""
        if validated := self.chain.close_next():
            if self._encode_ahead:
                self.blobs(validated)
            for tell in tuple(self.on_validated):
                tell(validated)

    def told(self, ledger: RecordedLedger) -> None:
        """Let the next ledger close if readers set the pace and nobody asks for this one, told by a stream.

        A subscriber of the transactions need not ask for a ledger that does not concern it.
        """
        if self.pace.on_read:
            close = partial(self._close_after, ledger.ledger_index)
            asyncio.get_running_loop().call_later(_SECONDS_TO_ASK, close)

    def _close_after(self, ledger_index: int) -> None:
        if self.chain.validated.ledger_index == ledger_index:
            self.close_ledger()

    def drop_connections(self) -> None:
        """Close every open WebSocket at once."""
        for drop in tuple(self.on_drop):
            drop()

    def answer(self, request: Request) -> Json:
        """Return the result of a request, or its error: then the answer has the field `error`."""
        try:
            return self._result(request)
        except RpcError as error:
            return error.body
        except Exception:
            log.exception("No answer to %s %s", request.command, request.params)
            return RpcError("internal").body

    def _result(self, request: Request) -> Json:
        method = METHODS.get(request.command)
        if method is None:
            raise RpcError("unknownCmd")
        if request.command not in ADMIN and self.faults.take("slow_down"):
            raise RpcError("slowDown")
        return method(request)

    def overloaded(self, command: str) -> bool:
        """Say whether the request is turned away before it is looked at."""
        return command not in ADMIN and self.faults.take("overload")

    def warns(self, command: str) -> bool:
        """Say whether the answer warns of load."""
        return command not in ADMIN and self.faults.take("load_warning")

    def answered(self, request: Request, result: Json) -> None:
        """Let the next ledger close if readers set the pace and this answer covered the last one."""
        if self.pace.on_read and _read_up_to(request, result) == self.chain.validated.ledger_index:
            self.close_ledger()


def _encoded(raw: Json) -> Json:
    return {**transaction_blobs(raw), "hash": raw["hash"]}


def _read_up_to(request: Request, result: Json) -> int | None:
    """Return the ledger up to which an answer has shown everything that was asked for."""
    if request.command == "tx" or "marker" in result or not result.get("validated"):
        return None
    last: int | None = result.get("ledger_index_max", result.get("ledger_index"))
    return last
