"""The reading of an account's next ledgers: told meanwhile from the stream, and confirmed at its end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec

from ledger_client import LedgerServer, ServerStatus
from offer_lifecycle import AccountState, LedgerFacts
from reconciler.following.account_reader import read_ledgers
from reconciler.following.account_store import AccountStore
from reconciler.following.confirmation import LedgerConfirmation
from reconciler.following.telling import Telling

T = TypeVar("T")
HearEngine = Callable[[], Awaitable[None]]
"""Applies what the engine has announced up to this moment."""


class ConfirmedLedger(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger that was read."""

    facts: LedgerFacts
    confirmed_by: tuple[str, ...]
    """Who has named its hash: servers by name, or `validators`; empty: nobody in time, or nobody could."""


class ConfirmedReading:
    """The readings of one account."""

    def __init__(
        self, account: AccountStore, telling: Telling, confirmation: LedgerConfirmation | None
    ) -> None:
        """Read into `account`; without a `confirmation` a ledger waits for nothing."""
        self._account = account
        self._telling = telling
        self._confirmation = confirmation

    async def read(
        self, server: LedgerServer, status: ServerStatus, upto: int, hear_engine: HearEngine
    ) -> list[ConfirmedLedger]:
        """Read the ledgers up to `upto`, and tell meanwhile what the stream shows of the first one.

        The next ledger is asked for before anything else is done. Of several, the engine's deadlines say
        which ones are wanted: the engine is heard first.

        Raises:
            ServerError: as every request; Disputed, Unconfirmed: see `LedgerConfirmation`.

        """
        state = self._account.require_committed().state
        is_next = upto == state.record.ledger_index + 1
        if not is_next:
            await hear_engine()
        async with _running(self._read_and_confirm(server, status, state, upto)) as reading:
            if is_next:
                await hear_engine()
            return await self._telling.tell_until_read(server, self._account.require_committed(), reading)

    async def _read_and_confirm(
        self, server: LedgerServer, status: ServerStatus, state: AccountState, upto: int
    ) -> list[ConfirmedLedger]:
        deadlines = state.deadlines(status.validated)
        ledgers = await read_ledgers(server, status, state.record, upto, deadlines)
        if self._confirmation is None:
            return [ConfirmedLedger(facts=facts, confirmed_by=()) for facts in ledgers]
        confirmed_by = await self._confirmation.confirm_last(server, state.record, ledgers)
        return [
            ConfirmedLedger(facts=facts, confirmed_by=by)
            for facts, by in zip(ledgers, confirmed_by, strict=True)
        ]


@asynccontextmanager
async def _running(reading: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """Run a reading beside what is done meanwhile; it ends with that."""
    task = asyncio.create_task(reading)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # of a reading that failed while something else did
