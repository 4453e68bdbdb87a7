"""The market of an order's pair at one ledger: the best offers of others that can be taken."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from console.compare.ledger.record import LedgerOrder, Market
from offer_lifecycle import RATIO, parse_amount, units

Offer = tuple[str, Decimal]
"""Whose it is, and its price in what it asks per what it gives."""


def book_question(gets: str, pays: str, ledger_index: int) -> dict[str, Any]:
    """Return the parameters of `book_offers` for offers that give `gets` for `pays`."""
    return {
        "taker_gets": _issue(gets),
        "taker_pays": _issue(pays),
        "ledger_index": ledger_index,
        "limit": 100,
    }


def takeable(offers: Iterable[Mapping[str, Any]], close_time: int) -> list[Offer]:
    """Return the offers that are neither expired nor unfunded; servers list both."""
    found = []
    for offer in offers:
        funded = parse_amount(offer.get("taker_gets_funded", offer["TakerGets"]))
        if funded.value and offer.get("Expiration", close_time + 1) > close_time:
            gives, asks = (units(parse_amount(offer[name])) for name in ("TakerGets", "TakerPays"))
            found.append((offer["Account"], RATIO.divide(asks, gives)))
    return found


def market_for(order: LedgerOrder, ledger_index: int, asks: Sequence[Offer], bids: Sequence[Offer]) -> Market:
    """Return the market without the order's own account."""
    ask, bid = (_best(offers, order.account) for offers in (asks, bids))
    return Market(
        ledger_index=ledger_index, bid=None if bid is None else RATIO.divide(Decimal(1), bid), ask=ask
    )


def _best(offers: Sequence[Offer], own: str) -> Decimal | None:
    return next((price for account, price in offers if account != own), None)


def _issue(asset: str) -> dict[str, str]:
    currency, _, issuer = asset.partition(".")
    return {"currency": currency, "issuer": issuer} if issuer else {"currency": currency}
