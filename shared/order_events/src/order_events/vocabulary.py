"""The words of the field, one for one thing (FIX, Nautilus and XRPL usage)."""

from enum import StrEnum


class OrderStatus(StrEnum):
    """Where an order stands. REJECTED is only for what neither rested nor traded."""

    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    PENDING_CANCEL = "PENDING_CANCEL"
    """An engine's own word for a cancel on its way. No event says it: the ledger knows of no such thing."""
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    REMOVED = "REMOVED"
    LOST = "LOST"


class RemovalReason(StrEnum):
    """Why an order is no longer on the book."""

    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REPLACED = "REPLACED"
    EXPIRED = "EXPIRED"
    UNFUNDED = "UNFUNDED"
    SELF_CROSSED = "SELF_CROSSED"
    KILLED = "KILLED"
    TINY = "TINY"
    ACCOUNT_DELETED = "ACCOUNT_DELETED"
    FROZEN = "FROZEN"
    """Its owner could not receive what it asks: the line was deep-frozen."""
    UNAUTHORIZED = "UNAUTHORIZED"
    """Its owner was not authorized by the issuer of one of its assets."""
    OUT_OF_DOMAIN = "OUT_OF_DOMAIN"
    """Its owner no longer held a credential of the permissioned domain that it was placed in."""
    UNEXPLAINED = "UNEXPLAINED"
    """A removing transaction is known, and no rule explains it."""
    UNKNOWN = "UNKNOWN"
    """No removing transaction is known (yet)."""


class Resolution(StrEnum):
    """How far the end of an order is explained."""

    PENDING = "pending"
    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"


class Action(StrEnum):
    """What the reconciler did about a disappearance. Readers must accept words not listed here."""

    NONE = "none"
    CLOSED = "closed"
    FILL_APPLIED = "fill_applied"
    HELD = "held"
    """Nothing explains it: it is shown, and no position changes by it."""
    PRESUMED_FILLED = "presumed_filled"
    """Nothing explains it, and the deployment takes it for filled: an `order.filled` says so of itself."""
    HALTED = "halted"
    """The account waits for an operator."""


class Correction(StrEnum):
    """What a correction makes of the event that it corrects."""

    AMENDED = "amended"
    """It happened as published; only amounts or the cause were incomplete."""
    WITHDRAWN = "withdrawn"
    """It did not happen."""


class Side(StrEnum):
    """The order's side, seen from the base asset of its market."""

    BUY = "BUY"
    SELL = "SELL"


class LiquiditySide(StrEnum):
    """MAKER: the order rested and was taken. TAKER: the order's own transaction took others."""

    MAKER = "MAKER"
    TAKER = "TAKER"


class Provenance(StrEnum):
    """`live`: at or after the ledger at which the account began to be followed; `backfill`: before it.

    `presumed`: no ledger shows it. It is a guess that the deployment asked for.
    """

    LIVE = "live"
    BACKFILL = "backfill"
    PRESUMED = "presumed"
