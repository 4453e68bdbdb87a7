"""Continuity: what the bus holds of an account's past is held against what was stored there.

A watermark lies outside of the state bucket: the record of a ledger that was committed, at most some minutes
old. With it an account whose state is lost, or went back to an earlier moment, is known from a new one. A
break is an event, an alert and a halt; what can be read from the ledger again is read again.
"""

import zlib
from collections.abc import Sequence

import msgspec
import structlog

from offer_lifecycle import CANCEL_LEDGERS, AccountRecord
from reconciler.following.account_store import AccountStore
from reconciler.ports.bus import Watermarks
from reconciler.safety.policy import ContinuityBreak

_log = structlog.get_logger()

LEDGERS_BETWEEN = 64
"""Between two watermarks of an account: about four minutes."""


class Continuity:
    """The continuity of one account."""

    def __init__(self, account: str, watermarks: Watermarks | None) -> None:
        """`watermarks`: None: nothing is known of the account but its state."""
        self.followed_before: AccountRecord | None = None
        """Of an account whose state is lost: the record from which it goes on; its balances are not known."""
        self._account = account
        self._watermarks = watermarks
        self._prefix = ""
        self._breaks: list[ContinuityBreak] = []
        self._offset = zlib.crc32(account.encode()) % LEDGERS_BETWEEN
        self._written: int | None = None

    async def check_state(self, network_id: int, account: AccountStore) -> None:
        """Hold the state that was loaded against the watermark and its own digest."""
        self._prefix = f"{network_id}.{self._account}"
        committed = account.committed
        known = await self._known(is_lost=committed is None)
        self.followed_before = _as_adopted_there(known) if known and committed is None else None
        if known is not None and committed is None:
            self._note(
                "state_lost",
                f"expected the state of {self._account} up to ledger {known.ledger_index}, found none: it is "
                "read on from there, and what waited for the bus or for an operator is gone",
            )
        elif known is not None and committed is not None and committed.cursor < known.ledger_index:
            self._note(
                "state_rolled_back",
                f"expected the state of {self._account} up to ledger {known.ledger_index} or later, found "
                f"one up to ledger {committed.cursor}: it is of an earlier moment, and is read on from there",
            )
        if account.damage is not None:
            self._note("state_damaged", f"{self._account}: {account.damage}")

    async def _known(self, *, is_lost: bool) -> AccountRecord | None:
        if self._watermarks is None:
            return None
        known = await self._watermarks.read(self._prefix)
        if known is None and is_lost:
            return await self._watermarks.read_last_told(self._prefix)
        return known

    def note_lost_announcements(self, record: AccountRecord, lost: str, newest: int) -> AccountRecord:
        """Note what the engine announced and stream ENGINE holds no longer.

        Returns the record by which no cancel is taken for a stranger's as long as a lost one may be in
        flight; `newest`: the newest validated ledger.
        """
        self._note("announcements_lost", lost)
        until = max(newest, record.ledger_index) + CANCEL_LEDGERS
        return msgspec.structs.replace(record, announcements_lost_until=until)

    def breaks(self) -> Sequence[ContinuityBreak]:
        """Return what is broken and not told yet."""
        return self._breaks

    def note_told(self) -> None:
        """Note that all breaks are committed as a halt."""
        self._breaks.clear()
        self.followed_before = None

    async def note_committed(self, record: AccountRecord) -> None:
        """Write the watermark, if that is due: a ledger is committed."""
        due = (record.ledger_index + self._offset) // LEDGERS_BETWEEN
        if self._watermarks is None or due == self._written:
            return
        self._written = due
        await self.write(record)

    async def write(self, record: AccountRecord) -> None:
        """Write the watermark, at a ledger that is committed."""
        if self._watermarks is None:
            return
        bare = msgspec.structs.replace(
            record, holdings={}, holdings_known=False, mpts_known=False, early_cancels={}
        )
        await self._watermarks.write(self._prefix, bare)

    def _note(self, cause: str, reason: str) -> None:
        _log.error("the bus does not hold what was stored there", cause=cause, found=reason)
        self._breaks.append(ContinuityBreak(cause=cause, reason=reason))


def _as_adopted_there(record: AccountRecord) -> AccountRecord:
    """Return the record of an account of whose orders before that ledger nothing is known any more."""
    return msgspec.structs.replace(
        record,
        adopted_at=record.ledger_index,
        followed_since=record.followed_since or record.adopted_at,
    )
