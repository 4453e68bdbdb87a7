"""The writer of trading permissions: each account's at once when it changes, and again before it ends.

It looks at all accounts twice a second. What it decides is in `safety.trading_permission`.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec
import structlog

from offer_lifecycle import AccountRecord
from order_events import Permission, TradingPermission
from order_events.permission import PERMISSION_SECONDS
from reconciler.fleet.scheduler import Scheduler
from reconciler.following.stored_account import CommittedAccount
from reconciler.metrics import Metrics
from reconciler.ports.bus import BusAway
from reconciler.ports.permission import PermissionBoard
from reconciler.safety.trading_permission import AccountStanding, decide_permission
from service_kit.cancellation import raise_if_cancelled

_log = structlog.get_logger()

_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_UNTIL_RENEWED = 2.0


class Clocks(msgspec.Struct, frozen=True, kw_only=True):
    """The two clocks of a permission."""

    seconds: Callable[[], float]
    """Never goes back."""
    now: Callable[[], datetime]
    """The time of day (UTC)."""


class PermissionWriter:
    """Decides and writes the permissions of this replica's accounts."""

    def __init__(  # noqa: PLR0913 - its ports, and what they share
        self,
        scheduler: Scheduler,
        board: PermissionBoard,
        metrics: Metrics,
        clocks: Clocks,
        *,
        patience: float,
        is_unproven: Callable[[], bool],
    ) -> None:
        """`patience`: seconds without a new ledger after which what is known is too old.

        `is_unproven`: whether ledgers are committed without a confirmation that is wanted.
        """
        self._scheduler = scheduler
        self._board = board
        self._metrics = metrics
        self._clocks = clocks
        self._patience = patience
        self._is_unproven = is_unproven
        self._written: dict[str, tuple[float, TradingPermission]] = {}
        """By account: what was written last, and when."""
        self._newest = 0
        self._newest_since: float | None = None
        self._is_away = False

    async def run(self) -> None:
        """Look and write again and again, until cancelled."""
        while True:
            await self.write_due()
            raise_if_cancelled()
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

    async def write_due(self) -> None:
        """Decide for all accounts, and write what has changed or would end soon."""
        seconds = self._clocks.seconds()
        self._note_newest(seconds)
        decided = self._decide_all(seconds)
        due = {account: one for account, one in decided.items() if self._is_due(one, seconds)}
        try:
            await self._board.write(list(due.values()))
        except BusAway as away:
            if not self._is_away:
                _log.warning("no permission can be written: engines stop", problem=str(away))
            self._is_away = True
        else:
            self._is_away = False
            self._report(due)
            kept = {account: one for account, one in self._written.items() if account in decided}
            self._written = kept | {account: (seconds, one) for account, one in due.items()}
        counted = Counter(one.permission for one in decided.values())
        for permission in Permission:
            self._metrics.trading_permission.labels(permission=permission).set(counted[permission])

    def _note_newest(self, seconds: float) -> None:
        """Note when a ledger has closed: the first one that is seen may be old."""
        newest = self._scheduler.newest_ledger
        if newest > self._newest:
            self._newest_since = seconds if self._newest else None
            self._newest = newest

    def _decide_all(self, seconds: float) -> dict[str, TradingPermission]:
        """Return the permission of each account that is followed, or was until it was set aside.

        An account whose network is not known yet has none, which means stop as well.
        """
        set_aside = self._scheduler.set_aside()
        decided = {
            account: self._decide(last, account_standing(None, 0, set_aside[account]), seconds)
            for account, (_, last) in self._written.items()
            if account in set_aside
        }
        for follower in self._scheduler.followers:
            if follower.committed is not None:
                behind = self._scheduler.ledgers_behind(follower)
                aside = set_aside.get(follower.account)
                standing = account_standing(follower.committed, behind, aside)
                record = follower.committed.stored.record
                decided[follower.account] = self._decide(record, standing, seconds)
        return decided

    def _decide(
        self, about: AccountRecord | TradingPermission, standing: AccountStanding, seconds: float
    ) -> TradingPermission:
        since, now = self._newest_since, self._clocks.now()
        decision = decide_permission(
            standing,
            seconds_without_ledger=None if since is None else seconds - since,
            patience=self._patience,
            is_unproven=self._is_unproven(),
        )
        return TradingPermission(
            network_id=about.network_id,
            account=about.account,
            permission=decision.permission,
            cause=decision.cause,
            reason=decision.reason,
            ledger_index=about.ledger_index,
            decided_at=now,
            until=now + timedelta(seconds=PERMISSION_SECONDS),
        )

    def _is_due(self, one: TradingPermission, seconds: float) -> bool:
        written = self._written.get(one.account)
        return written is None or _differs(one, written[1]) or seconds - written[0] >= _SECONDS_UNTIL_RENEWED

    def _report(self, written: Mapping[str, TradingPermission]) -> None:
        for account, one in written.items():
            before = self._written.get(account)
            if before is None or _differs(one, before[1]):
                _log.info(
                    "trading permission",
                    account=account,
                    permission=one.permission,
                    cause=one.cause,
                    reason=one.reason,
                )


def _differs(one: TradingPermission, other: TradingPermission) -> bool:
    return (one.permission, one.cause) != (other.permission, other.cause)


def account_standing(
    committed: CommittedAccount | None, ledgers_behind: int, set_aside: str | None
) -> AccountStanding:
    """Return what is known of an account; `committed`: None while it is not taken up."""
    if committed is None:
        return AccountStanding(set_aside=set_aside, followed=False, ledgers_behind=ledgers_behind)
    stored = committed.stored
    halted = stored.policy_state.halted
    return AccountStanding(
        halted=None if halted is None else halted.reason,
        set_aside=set_aside,
        followed=True,
        ledgers_behind=ledgers_behind,
        drift=stored.policy_state.drift,
        unexplained=tuple(one.order.sequence for one in stored.unexplained_removals),
        missing_ledgers=tuple(gap.name for gap in stored.history_gaps),
    )
