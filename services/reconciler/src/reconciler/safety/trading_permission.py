"""The decision what an engine may do on an account: `ok`, `reduce_only` or `stop`, and why.

| the account, first match wins | permission | cause |
|---|---|---|
| waits for an operator | stop | `halted` |
| an unexpected exception has set it aside | stop | `set_aside` |
| has not been taken up yet | stop | `not_followed` |
| no ledger has closed for too long, as far as this replica knows | stop | `ledger_stale` |
| is ledgers behind the newest one | stop | `behind` |
| its ledgers are committed without the confirmation that is wanted | stop | `unproven` |
| a balance is not what fills, fees and payments explain | stop | `balance_drift` |
| no rule explains the removal of an order so far | reduce_only | `unexplained` |
| ledgers of its history are missing | reduce_only | `history_gap` |
| none of these | ok | `none` |

An order that is LOST because ledgers are missing counts as their gap; where all were read, it never traded.
A bus that is away takes no permission, and the last one ends by itself: stale means stop.
"""

from collections.abc import Iterator

import msgspec

from order_events import Permission

BEHIND_LEDGERS = 3
"""So many ledgers behind, an account is not known well enough: two are a ledger on its way, and the next."""


class AccountStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an account at one moment."""

    halted: str | None = None
    """Why it waits for an operator."""
    set_aside: str | None = None
    """The exception that has set it aside."""
    followed: bool
    """Whether it is adopted, or taken up where it was."""
    ledgers_behind: int
    drift: str | None = None
    """The balance that is not explained."""
    unexplained: tuple[int, ...] = ()
    """Sequences of the orders whose removal no rule explains so far."""
    missing_ledgers: tuple[str, ...] = ()
    """Ranges of ledgers that no server could show so far."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine may do, and why."""

    permission: Permission
    cause: str
    reason: str


def decide_permission(
    account: AccountStanding, *, seconds_without_ledger: float | None, patience: float, is_unproven: bool
) -> Decision:
    """Decide what an engine may do on an account.

    Args:
        account: what is known of it.
        seconds_without_ledger: since the newest ledger was seen; None: none has closed since the start.
        patience: seconds without a ledger after which what is known is too old.
        is_unproven: whether nobody confirms the ledgers that are committed, though that is wanted.

    """
    stale = seconds_without_ledger is None or seconds_without_ledger > patience
    return next(
        _objections(account, patience if stale else None, is_unproven=is_unproven),
        Decision(permission=Permission.OK, cause="none", reason=""),
    )


def _objections(account: AccountStanding, waited: float | None, *, is_unproven: bool) -> Iterator[Decision]:
    """Yield what stands against new orders, in the order of the table.

    `waited`: seconds for which a new ledger was waited in vain; None: the newest one is new.
    """
    if account.halted is not None:
        yield _stop("halted", f"{account.halted}; `fillproof resume` lifts it")
    if account.set_aside is not None:
        yield _stop("set_aside", f"expected to follow the account, found {account.set_aside}")
    if not account.followed:
        yield _stop("not_followed", "expected a followed account, found one that is being taken up")
    if waited is not None:
        yield _stop("ledger_stale", f"expected a new ledger within {waited:g} s, found none")
    if (behind := account.ledgers_behind) >= BEHIND_LEDGERS:
        yield _stop("behind", f"expected to be at the newest ledger, found {behind} ledgers to read")
    if is_unproven:
        yield _stop("unproven", "expected a second server or a quorum to confirm the ledger, found nobody")
    if account.drift is not None:
        yield _stop("balance_drift", account.drift)
    if account.unexplained:
        orders = ", ".join(map(str, account.unexplained))
        yield _reduce("unexplained", f"expected every removal explained, found open: orders {orders}")
    if account.missing_ledgers:
        ranges = ", ".join(account.missing_ledgers)
        yield _reduce("history_gap", f"expected an unbroken history, found missing: {ranges}")


def _stop(cause: str, reason: str) -> Decision:
    return Decision(permission=Permission.STOP, cause=cause, reason=reason)


def _reduce(cause: str, reason: str) -> Decision:
    return Decision(permission=Permission.REDUCE_ONLY, cause=cause, reason=reason)
