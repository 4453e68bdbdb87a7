"""Continuity: what the bus holds of an account's past is held against what was stored there.

A watermark lies outside of the state bucket: the record of a ledger that was committed, at most a minute
old. With it an account whose state is lost, or went back to an earlier moment, is known from a new one. A
break is an event, an alert and a halt; what can be read from the ledger again is read again.

A bus that is of an earlier moment as a whole agrees with itself: only a witness outside of it knows better.
"""

import zlib
from collections.abc import Sequence

import msgspec
import structlog

from offer_lifecycle import CANCEL_LEDGERS, AccountRecord
from reconciler.following.account_store import AccountStore
from reconciler.ports.bus import Watermarks, Witness
from reconciler.safety.policy import ContinuityBreak

_log = structlog.get_logger()

LEDGERS_BETWEEN = 16
"""Between two watermarks of an account: about a minute."""


class Continuity:
    """The continuity of one account."""

    def __init__(self, account: str, watermarks: Watermarks | None, witness: Witness | None) -> None:
        """`watermarks` and `witness`: None: nothing is known of the account but its state."""
        self.followed_before: AccountRecord | None = None
        """Of an account whose state is lost: the record from which it goes on; its balances are not known."""
        self._account = account
        self._watermarks = watermarks
        self._witness = witness
        self._prefix = ""
        self._breaks: list[ContinuityBreak] = []
        self._offset = zlib.crc32(account.encode()) % LEDGERS_BETWEEN
        self._written: int | None = None

    async def check_state(self, network_id: int, account: AccountStore) -> None:
        """Hold the state that was loaded against the watermark and its own digest."""
        self._prefix = f"{network_id}.{self._account}"
        committed = account.committed
        on_the_bus = await self._known(is_lost=committed is None)
        known = self._witnessed(network_id, on_the_bus)
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
            if on_the_bus is None or on_the_bus.ledger_index <= committed.cursor:
                # The whole bus is: what the engine announced since is gone too
                committed.state.record = _without_announcements(committed.state.record, known.ledger_index)
        if account.damage is not None:
            self._note("state_damaged", f"{self._account}: {account.damage}")

    def _witnessed(self, network_id: int, on_the_bus: AccountRecord | None) -> AccountRecord | None:
        """Return the record that the bus knows, or that of a later ledger where the witness knows one."""
        ledger_index = 0 if self._witness is None else self._witness.read(self._prefix)
        if ledger_index <= (0 if on_the_bus is None else on_the_bus.ledger_index):
            return on_the_bus
        if on_the_bus is not None and ledger_index <= on_the_bus.ledger_index + LEDGERS_BETWEEN:
            return msgspec.structs.replace(on_the_bus, ledger_index=ledger_index, ledger_hash="")
        # The bus knows nothing of what it held a minute ago: all of it is lost, or of an earlier moment
        alone = AccountRecord(
            network_id=network_id,
            account=self._account,
            adopted_at=ledger_index,
            ledger_index=ledger_index,
            ledger_hash="",
            holdings_known=False,
        )
        return _without_announcements(alone, ledger_index)

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
        return _without_announcements(record, max(newest, record.ledger_index))

    def breaks(self) -> Sequence[ContinuityBreak]:
        """Return what is broken and not told yet."""
        return self._breaks

    def note_told(self) -> None:
        """Note that all breaks are committed as a halt."""
        self._breaks.clear()
        self.followed_before = None

    async def note_committed(self, record: AccountRecord) -> None:
        """Tell the witness, and write the watermark if that is due: a ledger is committed."""
        if self._witness is not None:
            self._witness.note(self._prefix, record.ledger_index)
        due = (record.ledger_index + self._offset) // LEDGERS_BETWEEN
        if self._watermarks is None or due == self._written:
            return
        self._written = due
        await self._write(self._watermarks, record)

    async def note_taken_back(self, record: AccountRecord) -> None:
        """Tell the witness, and write the watermark: the account goes on from an earlier ledger."""
        if self._witness is not None:
            self._witness.note(self._prefix, record.ledger_index)
        if self._watermarks is not None:
            await self._write(self._watermarks, record)

    async def _write(self, watermarks: Watermarks, record: AccountRecord) -> None:
        bare = msgspec.structs.replace(
            record, holdings={}, holdings_known=False, mpts_known=False, early_cancels={}
        )
        await watermarks.write(self._prefix, bare)

    def _note(self, cause: str, reason: str) -> None:
        _log.error("the bus does not hold what was stored there", cause=cause, found=reason)
        self._breaks.append(ContinuityBreak(cause=cause, reason=reason))


def _without_announcements(record: AccountRecord, newest: int) -> AccountRecord:
    """Return the record of an account of whose announcements up to `newest` some may be lost."""
    return msgspec.structs.replace(record, announcements_lost_until=newest + CANCEL_LEDGERS)


def _as_adopted_there(record: AccountRecord) -> AccountRecord:
    """Return the record of an account of whose orders before that ledger nothing is known any more."""
    return msgspec.structs.replace(
        record,
        adopted_at=record.ledger_index,
        followed_since=record.followed_since or record.adopted_at,
    )
