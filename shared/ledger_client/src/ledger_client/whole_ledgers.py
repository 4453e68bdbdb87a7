"""Whole ledgers in place of an account's history: each is read and proven once, for all accounts.

With many accounts every ledger is read whole: that costs the server one question instead of one for each of
them. With few, only the ledgers are read whole in which an account was touched, so that what is told of it is
proven. A reader of an account sees no difference: it is given what its `account_tx` would show.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise

import msgspec
import structlog

from ledger_client.history import LedgerTransaction, account_history
from ledger_client.ledger_stream import LedgerStream
from ledger_client.server import InvalidRequest, LedgerServer, NotProven, Refused
from ledger_client.single_flight import SingleFlight
from ledger_client.status import ServerStatus, server_status
from ledger_client.streamed_server import stream_of
from ledger_client.whole_ledger import UnreadableBlob, WholeLedger, read_whole

_log = structlog.get_logger()

NEAREST = 16
"""Ledgers: an account that is further behind reads its own history, unproven: few share its way."""
_KEPT = 2 * NEAREST
_BLOBS_KEPT = 4
"""Answers of a megabyte or two each: whoever proves something else of a ledger asks for the same one."""
_SECONDS_KEPT = 20.0
"""Until the next ledgers are read; what answers under a server's name may change, so not for long."""


class WholeLedgerServer:
    """A server that takes accounts' histories from whole ledgers, proven by their bytes."""

    def __init__(  # noqa: PLR0913 - all by keyword
        self,
        server: LedgerServer,
        *,
        accounts: Callable[[], int],
        from_accounts: int,
        clock: Callable[[], float],
        on_read: Callable[[WholeLedger], None] | None = None,
        is_sample: Callable[[int], bool] = lambda _ledger_index: False,
        only_whole: bool = False,
    ) -> None:
        """Take the histories of `server`'s accounts from whole ledgers.

        Args:
            server: that is asked.
            accounts: how many are followed.
            from_accounts: from how many on every ledger is read whole.
            clock: seconds, monotonic.
            on_read: called with each whole ledger, once it is proven; None: nothing is.
            is_sample: whether a ledger is read whole although the stream shows it quiet, so that what the
                stream shows is held against its bytes. No server may know beforehand which ones these are.
            only_whole: whether a ledger that the server does not give whole is not read at all.

        """
        self._on_read = on_read
        self._is_sample = is_sample
        self._only_whole = only_whole
        self._server = server
        self._accounts = accounts
        self._from_accounts = from_accounts
        self._ledgers: SingleFlight[int, WholeLedger] = SingleFlight(
            keep=_KEPT, seconds=_SECONDS_KEPT, clock=clock
        )
        self._blobs: SingleFlight[bytes, msgspec.Raw] = SingleFlight(
            keep=_BLOBS_KEPT, seconds=_SECONDS_KEPT, clock=clock
        )
        self._refused = False

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        return self._server.name

    @property
    def stream(self) -> LedgerStream | None:
        """The server's stream (see `StreamedServer`)."""
        return stream_of(self._server)

    def reads_whole(self, ledger_index: int) -> bool:
        """Whether every ledger is read whole, or this one is a sample (see `StreamedServer`)."""
        return self._reads_every_ledger or self._samples(ledger_index)

    @property
    def _reads_every_ledger(self) -> bool:
        """Whether enough accounts are followed (one reading serves them all), or nothing else is believed."""
        return self._accounts() >= self._from_accounts or self.reads_only_whole

    @property
    def reads_only_whole(self) -> bool:
        """Whether nothing else is believed of the server (see `StreamedServer`)."""
        stream = self.stream
        return self._only_whole or (stream is not None and stream.lied_at is not None)

    def _samples(self, ledger_index: int) -> bool:
        return not self._refused and self._is_sample(ledger_index)

    async def status(self) -> ServerStatus:
        """Return what the server has by now (see `StatusServer`)."""
        return await server_status(self._server)

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        """Ask, and return the `result` (see `LedgerServer`)."""
        match method, params:
            case "ledger", {"ledger_index": int(ledger_index)} if len(params) == 1:
                held = await self._ledgers.get_if_asked(ledger_index)
                if held is not None:
                    answer = {"ledger_index": ledger_index, "validated": True, "ledger": held.header}
                    return msgspec.Raw(msgspec.json.encode(answer))
            case "ledger", {"transactions": True, "binary": True}:
                key = msgspec.json.encode(params, order="deterministic")
                return await self._blobs.get(key, partial(self._server.request, method, **params))
        return await self._server.request(method, **params)

    async def account_history(self, account: str, first: int, last: int) -> list[LedgerTransaction]:
        """Return the account's transactions in [first, last], in the ledger's order (see `HistoryServer`)."""
        try:
            if self.reads_only_whole or (self._reads_every_ledger and last <= first + NEAREST):
                return await self._proven(account, range(first, last + 1))
            if last <= first + NEAREST:
                return await self._proven_where_touched(account, first, last)
        except (Refused, InvalidRequest, UnreadableBlob) as lack:
            if self.reads_only_whole:
                raise NotProven(self.name, f"ledger: expected a whole ledger, found: {lack}") from lack
            if not self._refused:
                _log.warning("no whole ledger: what is read is not proven", problem=str(lack))
            self._refused = True
        return await account_history(self._server, account, first, last)

    async def close(self) -> None:
        """Close the connection, and end the reading of ledgers that nobody waits for any more."""
        await self._ledgers.close()
        await self._blobs.close()
        await self._server.close()

    async def _proven_where_touched(self, account: str, first: int, last: int) -> list[LedgerTransaction]:
        """Prove the ledgers after `first` in which the account is touched; `first` was read before."""
        stream = self.stream
        wanted = range(first, last + 1)
        quiet = {} if stream is None else {one: stream.is_quiet(account, one) for one in wanted}
        if quiet and all(quiet.get(one) is not None for one in wanted):
            read = [one for one in wanted if not quiet[one] or (one > first and self._samples(one))]
            return await self._proven(account, read)
        rows = await account_history(self._server, account, first, last)
        shown = {row.transaction.ledger_index for row in rows} | {one for one in quiet if quiet[one] is False}
        touched = sorted((shown | {one for one in wanted if self._samples(one)}) - {first})
        before = [row for row in rows if row.transaction.ledger_index == first]
        return [*before, *await self._proven(account, touched)]

    async def _proven(self, account: str, wanted: Iterable[int]) -> list[LedgerTransaction]:
        readings = [self._ledgers.begin(one, partial(self._read_whole, one)) for one in wanted]
        ledgers = [await asyncio.shield(one) for one in readings]
        self._refused = False
        for before, after in pairwise(ledger.header for ledger in ledgers):
            follows = after.ledger_index == before.ledger_index + 1
            if follows and after.parent_hash != before.ledger_hash:
                raise NotProven(
                    self.name,
                    f"ledger: expected hash {after.parent_hash} of ledger {before.ledger_index}, which the "
                    f"next one follows, found {before.ledger_hash}",
                )
        return [row for ledger in ledgers for row in ledger.of(account)]

    async def _read_whole(self, ledger_index: int) -> WholeLedger:
        stream = self.stream
        told = None if stream is None else stream.hash_of(ledger_index)
        ledger = await read_whole(self, ledger_index, ledger_hash=told)
        if stream is not None and not stream.has_shown(ledger.header, ledger.names):
            _log.error("a stream does not show what its ledger holds", server=self.name, ledger=ledger_index)
        if self._on_read is not None:
            self._on_read(ledger)
        return ledger
