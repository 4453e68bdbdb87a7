"""The market around an order at one validated ledger: tops of both books, and the AMM's spot price."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

import msgspec

from ledger_client import LedgerServer, ProtocolViolation, Refused, ask
from offer_lifecycle import Header, is_mpt, parse_amount
from order_events import MarketContext, OrderDisappeared, Side

_ROWS = 100
_BASIS_POINTS = 10_000
_XRP_SCALE = Decimal("1e6")
_PRICE = Context(prec=16)
"""Qualities on the ledger have 16 digits; there is nothing to know beyond them."""
_FEE_UNITS = Decimal(100_000)
"""trading_fee counts in 1/100,000."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An offer on a book that can trade."""

    account: str
    sequence: int
    price: Decimal
    """Quote per base, in units."""


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides of a market at one ledger, best first, and the pool's price."""

    bids: tuple[Row, ...]
    asks: tuple[Row, ...]
    amm_price: Decimal | None
    amm_fee: Decimal
    """As a fraction."""


class _Offers(msgspec.Struct):
    offers: list[dict[str, Any]] = []


class _Pool(msgspec.Struct):
    amm: dict[str, Any] = {}


class LedgerMarket:
    """Reads `book_offers` and `amm_info`."""

    async def describe(
        self, server: LedgerServer, header: Header, events: Sequence[OrderDisappeared]
    ) -> list[OrderDisappeared]:
        """Return the events with their market context (see `Market`); each market is read once."""
        books = {
            event.market: await _read_book(server, header, event.market) for event in _one_a_market(events)
        }
        return [
            msgspec.structs.replace(event, market_context=context_of(event, books[event.market], header))
            for event in events
        ]


def _one_a_market(events: Sequence[OrderDisappeared]) -> list[OrderDisappeared]:
    return list({event.market: event for event in events}.values())


async def _read_book(server: LedgerServer, header: Header, market: str) -> Book:
    base, quote = market.split("/")
    # At the same time: a server may be far away, and the time is bounded
    asks, bids, (price, fee) = await asyncio.gather(
        _side(server, header, gets=base, pays=quote),
        _side(server, header, gets=quote, pays=base),
        _pool(server, header, base, quote),
    )
    try:
        return Book(
            asks=tuple(_row(row, _scale(base) / _scale(quote)) for row in asks),
            bids=tuple(_row(row, _scale(base) / _scale(quote), invert=True) for row in bids),
            amm_price=price,
            amm_fee=fee,
        )
    except (KeyError, ArithmeticError, ValueError, TypeError) as error:
        raise ProtocolViolation(server.name, f"book_offers: expected offers, found {error!r}") from error


async def _side(server: LedgerServer, header: Header, *, gets: str, pays: str) -> list[Mapping[str, Any]]:
    answer = await ask(
        server,
        "book_offers",
        _Offers,
        taker_gets=_asset(gets),
        taker_pays=_asset(pays),
        ledger_index=header.ledger_index,
        limit=_ROWS,
    )
    return [row for row in answer.offers if _can_trade(row, header)]


def _can_trade(row: Mapping[str, Any], header: Header) -> bool:
    """Whether the offer is more than a listing: the server shows expired and unfunded ones too."""
    expiration = row.get("Expiration")
    if expiration is not None and expiration <= header.close_time:
        return False
    funded = row.get("taker_gets_funded", row.get("owner_funds"))
    value = funded.get("value") if isinstance(funded, Mapping) else funded
    return value is None or Decimal(value) > 0


def _row(row: Mapping[str, Any], scale: Decimal, *, invert: bool = False) -> Row:
    quality = Decimal(row["quality"])  # TakerPays per TakerGets, XRP in drops
    price = _PRICE.divide(scale, quality) if invert else _PRICE.multiply(quality, scale)
    return Row(account=row["Account"], sequence=row["Sequence"], price=price)


async def _pool(
    server: LedgerServer, header: Header, base: str, quote: str
) -> tuple[Decimal | None, Decimal]:
    try:
        answer = await ask(
            server,
            "amm_info",
            _Pool,
            asset=_asset(base),
            asset2=_asset(quote),
            ledger_index=header.ledger_index,
        )
    except Refused as refusal:
        if refusal.code in {"actNotFound", "ammNotFound"}:
            return None, Decimal(0)
        raise
    pool = answer.amm
    try:
        amounts = dict(map(_units, (pool["amount"], pool["amount2"])))
        fee = Decimal(pool["trading_fee"]) / _FEE_UNITS
        return (_PRICE.divide(amounts[quote], amounts[base]) if amounts[base] else None), fee
    except (KeyError, ArithmeticError, ValueError, TypeError) as error:
        raise ProtocolViolation(server.name, f"amm_info: expected a pool, found {error!r}") from error


def _units(raw: object) -> tuple[str, Decimal]:
    amount = parse_amount(raw)
    return amount.asset, amount.value / _scale(amount.asset)


def _scale(asset: str) -> Decimal:
    """Return how many of the ledger's units make one that people quote."""
    return _XRP_SCALE if asset == "XRP" else Decimal(1)


def _asset(name: str) -> dict[str, str]:
    kind, _, issuer = name.partition(".")
    if not issuer:
        return {"currency": "XRP"}
    return {"mpt_issuance_id": name} if is_mpt(name) else {"currency": kind, "issuer": issuer}


def context_of(event: OrderDisappeared, book: Book, header: Header) -> MarketContext:
    """Work out mid, spread and distance for one order, its own offer left out of the book."""
    bid, ask = _top(book.bids, event), _top(book.asks, event)
    fee = book.amm_fee
    pool_bid = None if book.amm_price is None else _PRICE.multiply(book.amm_price, 1 - fee)
    pool_ask = None if book.amm_price is None else _PRICE.divide(book.amm_price, 1 - fee)
    best_bid = max((price for price in (bid, pool_bid) if price is not None), default=None)
    best_ask = min((price for price in (ask, pool_ask) if price is not None), default=None)
    known = MarketContext(
        ledger_index=header.ledger_index, best_bid=bid, best_ask=ask, amm_price=book.amm_price
    )
    if best_bid is None or best_ask is None:
        empty = "bids" if best_bid is None else "asks"
        both = best_bid is None and best_ask is None
        reason = "no offers and no AMM" if both else f"no {empty} and no AMM"
        return msgspec.structs.replace(known, reason=reason)
    mid = _PRICE.divide(best_bid + best_ask, Decimal(2))
    return msgspec.structs.replace(
        known,
        mid_price=mid,
        mid_source=_source(book_only=(best_bid == bid, best_ask == ask)),
        spread_bps=_PRICE.divide((best_ask - best_bid) * _BASIS_POINTS, mid),
        distance_bps=_distance(event, mid),
        reason=None if event.price is not None else "the order's own price is not known",
    )


def _top(rows: Sequence[Row], event: OrderDisappeared) -> Decimal | None:
    own = (event.account, event.sequence)
    return next((row.price for row in rows if (row.account, row.sequence) != own), None)


def _source(*, book_only: tuple[bool, bool]) -> str:
    return {(True, True): "clob", (False, False): "amm"}.get(book_only, "blended")


def _distance(event: OrderDisappeared, mid: Decimal) -> Decimal | None:
    if event.price is None:
        return None
    away = event.price - mid if event.side is Side.SELL else mid - event.price
    return _PRICE.divide(away * _BASIS_POINTS, mid)
