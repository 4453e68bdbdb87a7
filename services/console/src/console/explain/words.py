"""The answer in words: what the order was, what it traded, how it ended or where it stands."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from console.explain.answer import Explanation, Mention, Quantity, Step
from console.tables import quoted
from offer_lifecycle import format_decimal, issuer_of
from order_events import Amount, OrderStatus, RemovalReason

_PRICE_DIGITS = 12

_ENDS = {
    RemovalReason.FILLED: "The last of it was taken",
    RemovalReason.CANCELED: "It was canceled with its owner's key",
    RemovalReason.REPLACED: "Its owner replaced it with another order",
    RemovalReason.EXPIRED: "Its entry was swept off the book after that",
    RemovalReason.UNFUNDED: "It was removed because its owner had no {gives} left to give",
    RemovalReason.SELF_CROSSED: "It was removed because its owner placed an order that would have crossed it",
    RemovalReason.KILLED: "The rest was dropped, as its flags let none of it rest,",
    RemovalReason.TINY: "It was removed because what was left of it was too small to trade",
    RemovalReason.ACCOUNT_DELETED: "It was removed with its account, which its owner deleted",
    RemovalReason.FROZEN: "It was removed because its owner's line for {asks} was deep-frozen",
    RemovalReason.UNAUTHORIZED: "It was removed because an issuer had not authorized its owner",
    RemovalReason.OUT_OF_DOMAIN: "It was removed because its owner had left the domain it was placed in",
    RemovalReason.UNEXPLAINED: "It was removed, and no rule proves why",
    RemovalReason.UNKNOWN: "It is gone, and no transaction shows where to",
}
"""How it ended, by the cause; the transaction that did it follows."""


def sentences(told: Explanation) -> Iterator[str]:
    """Yield the answer, sentence by sentence."""
    yield _order(told)
    yield _placement(told)
    if told.status is not OrderStatus.REJECTED:
        yield _trades(told)
    if told.expiration is not None and told.removal_reason is RemovalReason.EXPIRED:
        yield f"It expired at {utc_text(told.expiration)} and could never trade again."
    yield from _end(told)
    if told.unfunded_since is not None:
        yield _since(told.unfunded_since, told.removed_by)


def amount(quantity: Quantity, value: str | None = None) -> str:
    """Write an amount, or another of the same asset, in the units people quote."""
    return quoted(Amount(quantity.asset, Decimal(quantity.value if value is None else value)))


def utc_text(time: datetime) -> str:
    """Write a moment of the ledger's clock."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _order(told: Explanation) -> str:
    limit = "" if told.price is None else f", {_price(told, told.price)} at worst"
    until = "" if told.expiration is None else f", until {utc_text(told.expiration)}"
    gives, asks = f"{amount(told.gives)}{_issuer(told.gives)}", f"{amount(told.asks)}{_issuer(told.asks)}"
    return f"It offered {gives} for {asks}{limit}{until}."


def _issuer(quantity: Quantity) -> str:
    issuer = issuer_of(quantity.asset)
    return "" if issuer is None else f" (of {issuer})"


def _price(told: Explanation, price: str) -> str:
    base, quote = (asset.partition(".")[0] for asset in told.market.split("/", 1))
    rounded = format_decimal(Decimal(format(Decimal(price), f".{_PRICE_DIGITS}g")))
    return f"{rounded} {quote} per {base}"


def _placement(told: Explanation) -> str:
    placed = next((step for step in told.transactions if step.effect == "placed"), None)
    if placed is None:
        return "Its placement is not in the history that was read."
    if told.status is OrderStatus.REJECTED:
        failed = "left nothing of it" if placed.result == "tesSUCCESS" else f"failed with {placed.result}"
        return f"It neither rested nor traded: {_who(placed)} {failed} {_where(placed)}."
    return f"It was placed {_did(placed)}."


def _did(step: Step) -> str:
    return f"{_where(step)} by {_who(step)}"


def _where(step: Step) -> str:
    return f"in ledger {step.ledger_index} ({utc_text(step.time)})"


def _who(step: Step) -> str:
    signed = "" if step.delegate is None else f", signed by {step.delegate}"
    return f"{step.type} {step.hash} of {step.by}{signed}"


def _trades(told: Explanation) -> str:
    trades = sum(bool(Decimal(step.gave) or Decimal(step.got)) for step in told.transactions)
    # What is missing of its history may hold trades too
    known = " in the history that was read" if told.missing_transactions else ""
    if not trades:
        return f"None of it traded{known}."
    times = "once" if trades == 1 else f"{trades} times"
    gave, got = amount(told.gives, told.gave), amount(told.asks, told.got)
    average = "" if told.avg_px is None else f", {_price(told, told.avg_px)} on average"
    return f"It traded {times}{known}: it gave {gave} and got {got}{average}."


def _end(told: Explanation) -> Iterator[str]:
    if told.removal_reason is None:
        if told.listed:
            yield f"At ledger {told.ledger_index} it is on the book{_left(told)}."
        return
    ending = next((step for step in told.transactions if step.hash == told.removed_by), None)
    if ending is None:
        if told.listed:
            yield f"At ledger {told.ledger_index} its dead entry is still on the book{_left(told)}."
        return
    gives, asks = (quantity.asset.partition(".")[0] for quantity in (told.gives, told.asks))
    how = _ENDS[told.removal_reason].format(gives=gives, asks=asks)
    yield f"{how} by the same transaction." if ending.effect == "placed" else f"{how}: {_did(ending)}."


def _left(told: Explanation) -> str:
    steps = [step for step in told.transactions if step.left_gives is not None]
    if not steps:
        return ""
    last = steps[-1]
    return f", with {amount(told.gives, last.left_gives)} left for {amount(told.asks, last.left_asks)}"


def _since(since: Mention, removed_by: str | None) -> str:
    if since.hash == removed_by:
        return "Until that very transaction its owner had some."
    emptied_by = f"{since.type} {since.hash} of {since.by} in ledger {since.ledger_index}"
    return f"Its owner had had none since {emptied_by}."
