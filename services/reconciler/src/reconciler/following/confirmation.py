"""Confirmation: before a ledger is committed, a second server or validators have named its hash.

One server's word is not the ledger. Where a list of validators is configured, a quorum of them must have
signed for the hash: then no server needs to be trusted. Otherwise, with two servers or more, so many must
name the same hash. The waiting is bounded; what is committed without confirmation is counted and said. But
nothing is committed where a quorum has signed for another hash, or where another server, which agreed with us
up to the cursor, names another one and shows the bytes of it (`disputes`).
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import pairwise

import msgspec
import structlog

from ledger_client import (
    Disputed,
    LedgerServer,
    NotProven,
    Servers,
    SingleFlight,
    Unconfirmed,
    WrongChain,
    stream_of,
)
from offer_lifecycle import AccountRecord, Header, LedgerFacts
from reconciler.following.disputes import asked_hash, check_dispute, told_hash
from reconciler.metrics import Metrics

_log = structlog.get_logger()

VALIDATORS = "validators"
"""Who confirms, where it is a quorum of them; else it is servers, by name."""
_SECONDS_BETWEEN_LOOKS = 0.02
_SECONDS_BETWEEN_QUESTIONS = 0.5
"""To a server without a stream."""
_SECONDS_UNTIL_DISPUTED = 2.0
"""A server whose stream has not named a ledger for so long is asked, and again."""
_KEPT = 64


class Quorum(msgspec.Struct, frozen=True, kw_only=True):
    """The validators' votes."""

    is_wanted: Callable[[], bool]
    """Whether there are lists to count by."""
    confirms: Callable[[bytes, int], bool]
    """Takes a ledger's hash and close time (ripple seconds)."""
    confirmed_hash: Callable[[int, int], bytes | None]
    """Takes a ledger's index and close time; returns the hash that a quorum signed for, None: none so far."""


class ConfirmationRule(msgspec.Struct, frozen=True, kw_only=True):
    """What the deployment has set."""

    servers: int = 2
    """How many servers must name a ledger's hash, where so many are configured and keep up."""
    seconds: float = 10.0
    """The longest wait for one ledger."""
    commit_unconfirmed: bool = True
    """Whether a ledger is committed that nobody has confirmed in that time."""


class LedgerConfirmation:
    """Confirms ledgers for all accounts, each ledger once."""

    def __init__(  # noqa: PLR0913 - its ports, all by keyword
        self,
        servers: Servers,
        rule: ConfirmationRule,
        quorum: Quorum,
        metrics: Metrics,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], Awaitable[object]],
    ) -> None:
        """`clock`: seconds, monotonic; `pause`: waits so many seconds."""
        self._servers = servers
        self._rule = rule
        self._quorum = quorum
        self._metrics = metrics
        self._clock = clock
        self._pause = pause
        self._unproven = False
        """Whether the last ledger is not confirmed, or is disputed."""
        self._newest: tuple[int, float] | None = None
        """The newest ledger that was confirmed, and when (seconds); before there is one, the first wanted."""
        metrics.confirmed_lag_seconds.set_function(self._seconds_behind)
        self._confirmed: SingleFlight[tuple[str, str, str], tuple[str, ...]] = SingleFlight(
            keep=_KEPT, seconds=float("inf"), clock=clock
        )

    @property
    def is_unproven(self) -> bool:
        """Whether the last ledger lacks the confirmation that is wanted, committed or not."""
        return self._unproven

    async def confirm(self, server: LedgerServer, record: AccountRecord, header: Header) -> tuple[str, ...]:
        """Wait until a ledger that was read on `server` is confirmed, and return by whom; empty: by nobody.

        `record`: the account's, up to its cursor: servers that have another ledger there do not count.

        Raises:
            Disputed: another server names another hash.
            WrongChain: a quorum of validators has signed for another hash.
            Unconfirmed: nobody has confirmed it in time, and it must be.

        """
        key = (server.name, header.ledger_hash, record.ledger_hash)
        return await self._confirmed.get(key, partial(self._confirm, server, record, header))

    async def confirm_last(
        self, server: LedgerServer, record: AccountRecord, ledgers: Sequence[LedgerFacts]
    ) -> list[tuple[str, ...]]:
        """Wait until the last of these ledgers is confirmed; return for each one by whom it is.

        A ledger before the last one is confirmed with it where proven headers lead from one to the other.

        Raises:
            Disputed, WrongChain, Unconfirmed: as `confirm`.

        """
        by = await self.confirm(server, record, ledgers[-1].header)
        confirmed = [by]
        for before, after in reversed(list(pairwise(ledgers))):
            is_linked = after.proven and after.header.parent_hash == before.header.ledger_hash
            confirmed.append(confirmed[-1] if is_linked else ())
        return confirmed[::-1]

    async def _confirm(self, server: LedgerServer, record: AccountRecord, header: Header) -> tuple[str, ...]:
        if not self._is_wanted():
            return ()
        self._newest = self._newest or (header.ledger_index - 1, self._clock())
        others = [one for one in self._servers.every() if one.name != server.name]
        by = await self._wait(server, others, record, header)
        if by:
            self._unproven = False
            self._note_confirmed(header.ledger_index)
            return by
        await self._check_disputes(server, others, record, header)
        return self._go_on_without(server, header)

    async def _wait(
        self, server: LedgerServer, others: list[LedgerServer], record: AccountRecord, header: Header
    ) -> tuple[str, ...]:
        """Return who confirms the ledger; empty: nobody within the time, or nobody is expected to."""
        begun = ask_at = self._clock()
        dispute_at = begun + _SECONDS_UNTIL_DISPUTED
        asked: dict[str, str] = {}
        while True:
            by = self._confirmed_by(server, others, asked, header)
            now = self._clock()
            if by or now >= begun + self._rule.seconds or not self._is_expected(server, record):
                return by
            if now >= ask_at:
                ask_at = now + _SECONDS_BETWEEN_QUESTIONS
                asked = await self._ask(others, header)
            if now >= dispute_at:
                dispute_at = now + _SECONDS_UNTIL_DISPUTED
                await self._check_disputes(server, others, record, header)
            await self._pause(_SECONDS_BETWEEN_LOOKS)

    def _confirmed_by(
        self, server: LedgerServer, others: list[LedgerServer], asked: dict[str, str], header: Header
    ) -> tuple[str, ...]:
        if self._quorum.is_wanted():
            self._check_quorum(server, header)
            signed = self._quorum.confirms(bytes.fromhex(header.ledger_hash), header.close_time)
            return (VALIDATORS,) if signed else ()
        named = {one.name: told_hash(one, header.ledger_index) or asked.get(one.name) for one in others}
        agree = [server.name, *(name for name, told in named.items() if told == header.ledger_hash)]
        return tuple(agree) if len(agree) >= self._servers_needed else ()

    def _check_quorum(self, server: LedgerServer, header: Header) -> None:
        """Raise WrongChain where a quorum of validators has signed for another ledger with this index."""
        signed = self._quorum.confirmed_hash(header.ledger_index, header.close_time)
        if signed not in {None, bytes.fromhex(header.ledger_hash)}:
            self._unproven = True
            expected = (signed or b"").hex().upper()
            raise WrongChain(
                server.name,
                f"ledger: expected hash {expected} of ledger {header.ledger_index}, for which a quorum of "
                f"validators has signed, found {header.ledger_hash}",
            )

    @property
    def _servers_needed(self) -> int:
        return min(self._rule.servers, len(self._servers.every()))

    def _is_wanted(self) -> bool:
        """Whether anybody could confirm a ledger here."""
        return self._quorum.is_wanted() or self._servers_needed > 1

    def _is_expected(self, server: LedgerServer, record: AccountRecord) -> bool:
        """Whether a confirmation may come: by a quorum, or by a server that has all up to the cursor."""
        if self._quorum.is_wanted():
            return True
        return self._servers.has_shown_after(record.ledger_index - 1, besides=server.name)

    async def _ask(self, others: list[LedgerServer], header: Header) -> dict[str, str]:
        """Ask the servers without a stream that are not put aside."""
        usable = {one.name for one in self._servers.candidates()}
        silent = [one for one in others if stream_of(one) is None and one.name in usable]
        return {one.name: found for one in silent if (found := await asked_hash(one, header.ledger_index))}

    async def _check_disputes(
        self, server: LedgerServer, others: list[LedgerServer], record: AccountRecord, header: Header
    ) -> None:
        """Raise Disputed where another server shows another ledger; put those aside that only name one."""
        for one in others if self._rule.servers > 1 else ():
            try:
                await check_dispute(server, one, record, header)
            except NotProven as lie:
                if lie.server != one.name:
                    raise
                self._servers.failed(one, lie)
            except Disputed:
                self._unproven = True
                raise

    def _seconds_behind(self) -> float:
        """Seconds since a ledger was last confirmed; 0: no server has shown a later one."""
        if self._newest is None or self._servers.newest_shown <= self._newest[0]:
            return 0.0
        return self._clock() - self._newest[1]

    def _note_confirmed(self, ledger_index: int) -> None:
        if self._newest is None or ledger_index > self._newest[0]:
            self._newest = ledger_index, self._clock()
            self._metrics.confirmed_ledger.set(ledger_index)

    def _go_on_without(self, server: LedgerServer, header: Header) -> tuple[str, ...]:
        self._metrics.unconfirmed_ledgers.inc()
        said, self._unproven = self._unproven, True
        if not self._rule.commit_unconfirmed:
            raise Unconfirmed(
                server.name,
                f"ledger: expected hash {header.ledger_hash} of ledger {header.ledger_index} to be confirmed "
                f"within {self._rule.seconds:g} s, found nobody who does; it is tried again",
            )
        if not said:
            _log.info(
                "ledgers are committed without confirmation: no second server or quorum names them in time",
                ledger_index=header.ledger_index,
                server=server.name,
            )
        return ()
