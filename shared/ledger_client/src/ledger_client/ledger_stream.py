"""The newest ledgers as one server's streams `ledger` and `transactions` have shown them.

`ledgerClosed` of ledger N names its hash, its close time and how many transactions it has (`txn_count`); the
transactions come after it, and their TransactionIndex runs from 0. So it is known without a question which of
them are still missing. Messages may be lost, doubled, late or out of order: a ledger that does not come
whole, or that contradicts itself, is read by questions as if there were no stream.
"""

import asyncio
from collections.abc import Callable, Iterable

import msgspec
import structlog

from ledger_client.affected_accounts import UNREADABLE
from ledger_client.status import Ranges, ServerStatus, read_ranges
from ledger_client.stream_group import StreamGroup
from ledger_client.streamed_ledger import ClosedLedger, RowMessage, StreamedLedger, StreamedRow
from offer_lifecycle import Header, MalformedTransaction, Reserves, Transaction, read_transaction

_log = structlog.get_logger()

SILENT_SECONDS = 6.0
"""Without a closed ledger, after which the stream says nothing of the present; ledgers close every 3 to 5."""
_KEPT = 16
"""Ledgers; of mainnet's, a megabyte each at most."""
_AHEAD = 4
"""Ledgers by which a transaction's may be ahead of the newest closed one: messages may be lost."""
_MOST_PLACES = 20_000
"""Transactions of one ledger that are kept: many times what a ledger has ever held."""


class LedgerBeginning(msgspec.Struct, frozen=True, kw_only=True):
    """The first transactions of a ledger without a gap, as far as they touch one account."""

    header: Header
    reserves: Reserves
    """Those that the ledger's transactions are held to."""
    transactions: tuple[Transaction, ...]
    """In the ledger's order."""


_CLOSED = msgspec.json.Decoder(ClosedLedger)
_ROW = msgspec.json.Decoder(RowMessage)


class LedgerStream:
    """Listens to one server's streams `ledger` and `transactions` (see `StreamListener`)."""

    streams = ("ledger", "transactions")
    optional = True
    """Without it the server is asked."""

    def __init__(
        self, *, clock: Callable[[], float], patience: float = 1.0, group: StreamGroup | None = None
    ) -> None:
        """`clock`: monotonic seconds; `patience`: seconds that a reader waits for a ledger's transactions.

        `group`: the streams of the other servers; None: there is no other.
        """
        self._group = group or StreamGroup()
        self._group.streams.append(self)
        self._clock = clock
        self._patience = patience
        self._ledgers: dict[int, StreamedLedger] = {}
        self._newest = 0
        self._heard_at = float("-inf")
        self._comes_whole = True
        """Whether a ledger has come whole since a reader last waited in vain."""
        self.lied_at: int | None = None
        """The newest ledger of which it was found to have shown what is not so; None: there is none."""
        self.losses = 0
        """Connections lost so far: what answers under the server's name since may be another server."""

    def opened(self, answer: msgspec.Raw) -> None:
        """Begin with the answer to `subscribe`; the first messages may have come already."""
        self._close_ledger(answer)

    def heard(self, kind: str, message: bytes) -> None:
        """Add a message of the stream; one that can't be read is as good as lost."""
        if kind == "ledgerClosed":
            self._close_ledger(message)
        elif kind == "transaction":
            self._add_row(message)

    def lost(self) -> None:
        """Forget everything: the connection is lost."""
        self.losses += 1
        self._ledgers.clear()
        self._newest = 0
        self._heard_at = float("-inf")
        self._group.tell_all()

    def has_shown(self, header: Header, names: set[str]) -> bool:
        """Whether it has shown no other ledger, as whole, than the one with these transactions.

        `names`: their hashes, as the ledger's bytes prove them. Where it has, it is believed no more.
        """
        ledger = self._ledgers.get(header.ledger_index)
        if ledger is None or not ledger.whole or ledger.hash != header.ledger_hash or ledger.names == names:
            return True
        self.note_lie(header.ledger_index)
        return False

    def note_lie(self, ledger_index: int) -> None:
        """Note that it has shown of this ledger what is not so: it is believed no more."""
        self.lied_at = max(self.lied_at or 0, ledger_index)

    def status(self, known: ServerStatus) -> ServerStatus | None:
        """Return what `server_info` would say now, if it said `known` before; None: the stream is silent."""
        newest = self._closed(self._newest)
        if newest is None or newest.validated_ledgers is None or newest.reserves is None:
            return None
        ranges = _ranges(newest.validated_ledgers)
        if ranges is None or self._clock() - self._heard_at > SILENT_SECONDS:
            return None
        return msgspec.structs.replace(
            known, validated=newest.ledger_index, complete=ranges, reserves=newest.reserves
        )

    @property
    def newest(self) -> int:
        """The newest ledger that the stream has closed; 0: none since its connection is open."""
        return self._newest

    def hash_of(self, ledger_index: int) -> str | None:
        """Return the hash that the stream has named for a ledger; None: it has not, or two different ones."""
        ledger = self._ledgers.get(ledger_index)
        return None if ledger is None or ledger.contradictory else ledger.hash

    def reserves_after(self, ledger_index: int) -> Reserves | None:
        """Return the reserves in the state after a ledger, in drops; None: it has not named them."""
        closed = self._closed(ledger_index)
        return None if closed is None else closed.reserves

    def beginning(self, account: str, parent_hash: str, ledger_index: int) -> LedgerBeginning | None:
        """Return what is certain so far of a ledger, for one account.

        None: the stream does not continue from the ledger with `parent_hash`, or shows no transaction of the
        account yet, or one that can't be read.
        """
        ledger, header = self._ledgers.get(ledger_index), self._header(ledger_index)
        reserves = self.reserves_after(ledger_index - 1)
        if ledger is None or ledger.contradictory or header is None or reserves is None:
            return None
        if self.lied_at is not None:
            return None
        if self.hash_of(ledger_index - 1) != parent_hash:
            return None
        try:
            transactions = tuple(map(read_transaction, ledger.first_touching(account)))
        except MalformedTransaction as damage:
            _log.warning("a transaction of the stream can't be read", problem=str(damage))
            return None
        if not transactions:
            return None
        return LedgerBeginning(header=header, reserves=reserves, transactions=transactions)

    async def untouched(self, account: str, parent_hash: str, first: int, last: int) -> list[Header] | None:
        """Return the headers of the ledgers from `first` to `last`, if nothing in them affects the account.

        Waits a bounded time for their transactions. None: one of them affects it, or a ledger is not whole,
        or they do not continue from the ledger with `parent_hash`.
        """
        wanted = range(first, last + 1)
        if not self._continues(parent_hash, first, last) or any(map(self._is_disputed, wanted)):
            return None
        seconds = self._patience if self._comes_whole else 0
        try:
            async with asyncio.timeout(seconds):
                while lacking := [one for one in self._expected(last) if not one.shows_whole(wanted)]:
                    news = self.next_news(account)
                    if any(self._touches(one, account) for one in wanted) or self._newest < last:
                        return None
                    await news.wait()
        except TimeoutError:
            for one in lacking:
                one.note_lack()
            if self in lacking:
                return None
        if any(self._touches(one, account) or self._is_disputed(one) for one in wanted):
            return None
        headers = [self._header(one) for one in wanted]
        return [header for header in headers if header is not None]

    def shows_whole(self, ledgers: Iterable[int]) -> bool:
        """Whether all transactions of these ledgers are there."""
        return all(map(self._whole, ledgers))

    def note_lack(self) -> None:
        """Note that a reader has waited in vain for a ledger to be whole."""
        self._comes_whole = False

    def keeps_up_with(self, ledger_index: int) -> bool:
        """Whether the ledger may be expected from it: it is not silent, and its ledgers come whole."""
        is_silent = self._clock() - self._heard_at > SILENT_SECONDS
        return self._comes_whole and not is_silent and self._newest >= ledger_index - 1

    def _expected(self, ledger_index: int) -> list["LedgerStream"]:
        """Return this stream, and the others that a ledger may be expected from."""
        others = [one for one in self._group.streams if one is not self]
        return [self, *(one for one in others if one.keeps_up_with(ledger_index))]

    def is_quiet(self, account: str, ledger_index: int) -> bool | None:
        """Whether no transaction of a ledger affects the account; None: that is not known, or disputed."""
        if self._touches(ledger_index, account):
            return False
        if self._is_disputed(ledger_index):
            return None
        return True if self._whole(ledger_index) else None

    def next_news(self, account: str) -> asyncio.Event:
        """Return the event that is set when a transaction of the account comes, or a ledger is whole."""
        return self._group.next_news(account)

    def _close_ledger(self, message: bytes | msgspec.Raw) -> None:
        try:
            closed = _CLOSED.decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            _log.debug("not the message of a closed ledger", problem=str(error))
            return
        ledger = self._ledgers.setdefault(closed.ledger_index, StreamedLedger())
        ledger.name_hash(closed.ledger_hash)
        if ledger.closed is None:
            ledger.closed = closed
        self._newest = max(self._newest, closed.ledger_index)
        self._heard_at = self._clock()
        for old in [one for one in self._ledgers if one <= self._newest - _KEPT]:
            del self._ledgers[old]
        self._tell_if_whole(ledger)

    def _add_row(self, message: bytes) -> None:
        try:
            row = _ROW.decode(message)
            accounts = row.accounts()
        except UNREADABLE as error:
            _log.debug("not the message of a validated transaction", problem=str(error))
            return
        index, place = row.ledger_index, row.meta.place
        near = self._newest - _KEPT < index <= self._newest + _AHEAD
        if row.validated is not True or not near or not 0 <= place < _MOST_PLACES:
            return
        ledger = self._ledgers.setdefault(index, StreamedLedger())
        ledger.name_hash(row.ledger_hash)
        concerned = ledger.add(place, StreamedRow(row.hash, frozenset(accounts), message))
        self._group.tell(concerned)
        self._tell_if_whole(ledger)

    def _tell_if_whole(self, ledger: StreamedLedger) -> None:
        if ledger.whole:
            self._comes_whole = True
            self._group.tell_all()

    def _continues(self, parent_hash: str, first: int, last: int) -> bool:
        closed = [self._closed(one) for one in range(first - 1, last + 1)]
        return all(one is not None for one in closed) and self.hash_of(first - 1) == parent_hash

    def _whole(self, ledger_index: int) -> bool:
        ledger = self._ledgers.get(ledger_index)
        return ledger is not None and ledger.whole

    def _touches(self, ledger_index: int, account: str) -> bool:
        """Whether this stream, or one that names the same ledger, shows a transaction of the account."""
        named = self.hash_of(ledger_index)
        return any(one.shows(ledger_index, named, account) for one in self._group.streams)

    def _is_disputed(self, ledger_index: int) -> bool:
        """Whether another stream names another ledger: `ledgerClosed` does not say which one it follows."""
        named = {one.hash_of(ledger_index) for one in self._group.streams} - {None}
        return bool(named - {self.hash_of(ledger_index)})

    def shows(self, ledger_index: int, ledger_hash: str | None, account: str) -> bool:
        """Whether a transaction that affects the account is there, in the ledger with this hash."""
        ledger = self._ledgers.get(ledger_index)
        return ledger is not None and ledger.hash == ledger_hash and ledger.touches(account)

    def _closed(self, ledger_index: int) -> ClosedLedger | None:
        ledger = self._ledgers.get(ledger_index)
        return None if ledger is None else ledger.closed

    def _header(self, ledger_index: int) -> Header | None:
        closed, parent = self._closed(ledger_index), self._closed(ledger_index - 1)
        if closed is None or parent is None:
            return None
        return Header(
            ledger_index=ledger_index,
            ledger_hash=closed.ledger_hash,
            parent_hash=parent.ledger_hash,
            close_time=closed.close_time,
            parent_close_time=parent.close_time,
        )


def _ranges(text: str) -> Ranges | None:
    try:
        return read_ranges(text)
    except ValueError:
        return None
