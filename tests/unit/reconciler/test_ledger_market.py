"""The market around an order: which rows count, and how mid, spread and distance are made of them."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from in_process_node import InProcessServer, as_written
from replaying import recorded

from ledger_client import ProtocolViolation, Refused
from offer_lifecycle import Header
from order_events import MarketContext, OrderDisappeared, Side, decode
from reconciler.adapters.ledger_market import LedgerMarket

ISSUER = "rIssuer"
MARKET = f"XRP/USD.{ISSUER}"
HEADER = Header(ledger_index=9, ledger_hash="A", parent_hash="B", close_time=1000, parent_close_time=996)


def disappeared(**changes: object) -> OrderDisappeared:
    """Return a disappeared order of rOwner, 7, that sold XRP at 0.5 USD."""
    event = decode(
        b"""{"event_type": "order.disappeared", "event_id": "2b0b1a0e-5c1d-5a0e-9f1e-0f111b00f111",
        "network_id": 0, "account": "rOwner", "sequence": 7, "client_order_id": null, "session_id": null,
        "external": false, "market": "XRP/USD.rIssuer", "side": "SELL", "price": "0.5", "quantity": "10",
        "status": "REMOVED", "filled_qty": "0", "leaves_qty": "0", "avg_px": null,
        "removal_reason": "UNFUNDED", "removed_by": "T1", "resolution": "resolved", "ledger_index": 9,
        "transaction_hash": "T1", "transaction_index": 0, "occurred_at": "2026-11-22T18:00:00Z",
        "provenance": "live", "anomaly": true, "remaining": "10", "evidence": "-"}"""
    )
    assert isinstance(event, OrderDisappeared)
    return msgspec.structs.replace(event, **changes)


def ask(price: str, *, account: str = "rStranger", sequence: int = 1, **more: object) -> dict[str, Any]:
    """One row that sells XRP; `quality` is USD per drop."""
    quality = str(Decimal(price) / 1_000_000)
    return {"Account": account, "Sequence": sequence, "quality": quality, **more}


def bid(price: str, *, account: str = "rStranger", sequence: int = 2, **more: object) -> dict[str, Any]:
    """One row that buys XRP; `quality` is drops per USD."""
    quality = str(1_000_000 / Decimal(price))
    return {"Account": account, "Sequence": sequence, "quality": quality, **more}


class Books:
    """A server that knows two sides of one book and perhaps a pool."""

    name = "node://books"

    def __init__(self, asks: list[Any], bids: list[Any], pool: dict[str, Any] | None = None) -> None:
        self._asks, self._bids, self._pool = asks, bids, pool
        self.asked: list[str] = []

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        self.asked.append(method)
        assert params["ledger_index"] == HEADER.ledger_index
        if method == "book_offers":
            sells_xrp = params["taker_gets"] == {"currency": "XRP"}
            return as_written({"offers": self._asks if sells_xrp else self._bids})
        if self._pool is None:
            raise Refused(self.name, "actNotFound", "no pool")
        return as_written({"amm": self._pool})

    async def close(self) -> None:
        pass


async def context(books: Books, event: OrderDisappeared | None = None) -> MarketContext:
    described = await LedgerMarket().describe(books, HEADER, [event or disappeared()])
    found = described[0].market_context
    assert found is not None
    return found


async def test_mid_spread_and_distance_are_those_of_the_best_offers() -> None:
    found = await context(Books([ask("0.51"), ask("0.60")], [bid("0.49"), bid("0.40")]))
    assert (found.best_bid, found.best_ask, found.mid_price) == (
        Decimal("0.49"),
        Decimal("0.51"),
        Decimal("0.5"),
    )
    assert found.spread_bps == 400
    assert found.distance_bps == 0
    assert (found.mid_source, found.ledger_index, found.reason) == ("clob", 9, None)


@pytest.mark.parametrize(
    ("side", "price", "distance"),
    [(Side.SELL, "0.6", 2000), (Side.SELL, "0.4", -2000), (Side.BUY, "0.4", 2000), (Side.BUY, "0.6", -2000)],
)
async def test_the_distance_is_positive_away_from_the_market(side: Side, price: str, distance: int) -> None:
    event = disappeared(side=side, price=Decimal(price))
    found = await context(Books([ask("0.51")], [bid("0.49")]), event)
    assert found.distance_bps == distance


@pytest.mark.parametrize(
    "dead",
    [
        ask("0.50", Expiration=1000),
        ask("0.50", taker_gets_funded="0"),
        ask("0.50", owner_funds="0"),
        ask("0.50", taker_gets_funded={"currency": "USD", "issuer": ISSUER, "value": "0"}),
        ask("0.50", account="rOwner", sequence=7),
    ],
    ids=["expired", "not funded", "its owner has nothing", "a token not funded", "our own order"],
)
async def test_an_offer_that_can_not_trade_and_our_own_do_not_count(dead: dict[str, Any]) -> None:
    found = await context(Books([dead, ask("0.51")], [bid("0.49")]))
    assert found.best_ask == Decimal("0.51")


@pytest.mark.parametrize("alive", [ask("0.50", Expiration=1001), ask("0.50", taker_gets_funded="1")])
async def test_an_offer_that_can_still_trade_counts(alive: dict[str, Any]) -> None:
    found = await context(Books([alive, ask("0.51")], [bid("0.49")]))
    assert found.best_ask == Decimal("0.50")


def pool(xrp: str, usd: str, fee: int = 0) -> dict[str, Any]:
    token = {"currency": "USD", "issuer": ISSUER, "value": usd}
    return {"amount": xrp, "amount2": token, "trading_fee": fee}


async def test_a_pool_alone_makes_the_market() -> None:
    found = await context(Books([], [], pool("100000000", "50")))
    assert (found.best_bid, found.best_ask) == (None, None)
    assert (found.amm_price, found.mid_price, found.mid_source) == (Decimal("0.5"), Decimal("0.5"), "amm")


async def test_a_pool_inside_the_book_on_one_side_blends_with_it() -> None:
    found = await context(Books([ask("0.505")], [bid("0.40")], pool("100000000", "50", fee=1000)))
    assert found.mid_source == "blended"
    assert found.best_bid == Decimal("0.40")
    assert found.mid_price == (Decimal("0.495") + Decimal("0.505")) / 2


async def test_a_pool_outside_the_book_changes_nothing() -> None:
    found = await context(Books([ask("0.51")], [bid("0.49")], pool("100000000", "50", fee=5000)))
    assert (found.mid_price, found.mid_source) == (Decimal("0.5"), "clob")


@pytest.mark.parametrize(
    ("asks", "bids", "reason"),
    [
        ([], [bid("0.49")], "no asks and no AMM"),
        ([ask("0.51")], [], "no bids and no AMM"),
        ([], [], "no offers and no AMM"),
    ],
)
async def test_a_market_with_an_empty_side_has_no_mid_and_says_why(
    asks: list[Any], bids: list[Any], reason: str
) -> None:
    found = await context(Books(asks, bids))
    assert (found.mid_price, found.distance_bps, found.reason) == (None, None, reason)


async def test_an_order_whose_price_is_not_known_has_no_distance_and_says_why() -> None:
    found = await context(Books([ask("0.51")], [bid("0.49")]), disappeared(price=None))
    assert found.mid_price == Decimal("0.5")
    assert (found.distance_bps, found.reason) == (None, "the order's own price is not known")


async def test_each_market_is_read_once_for_all_orders_of_the_ledger() -> None:
    books = Books([ask("0.51")], [bid("0.49")])
    described = await LedgerMarket().describe(books, HEADER, [disappeared(sequence=n) for n in range(1, 9)])
    assert len(described) == 8
    assert books.asked == ["book_offers", "book_offers", "amm_info"]


@pytest.mark.parametrize("row", [{}, ask("0.51") | {"quality": "?"}, bid("0.49") | {"quality": "0"}])
async def test_rows_that_are_no_offers_are_the_server_s_fault(row: dict[str, Any]) -> None:
    with pytest.raises(ProtocolViolation, match="book_offers: expected offers"):
        await context(Books([], [row]))


async def test_a_recorded_market_with_a_pool_is_read() -> None:
    session = recorded("random_amm_3")
    server = InProcessServer(session)
    server.close_ledgers()
    last = session.ledgers[-1]
    order = session.orders[-1]
    market = f"XRP/USD.{session.accounts['issuer']}"
    header = msgspec.structs.replace(
        HEADER, ledger_index=last.ledger_index, close_time=last.header["close_time"]
    )
    event = disappeared(market=market, account=order["account"], sequence=order["sequence"])
    described = await LedgerMarket().describe(server, header, [event])
    found = described[0].market_context
    assert found is not None
    assert found.amm_price is not None
    assert found.mid_price is not None
    assert abs(found.mid_price / found.amm_price - 1) < Decimal("0.05")
