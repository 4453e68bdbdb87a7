"""The bridge of docs/examples among the modules of Hummingbot's published package.

Skipped, and said so, where `hummingbot` is not installed: its wheel has to be built from source.
"""

import asyncio
from decimal import Decimal
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import msgspec
import pytest
from engine_examples import load_example
from on_the_bus import fill

from order_events import Amount, CancelRequested, LiquiditySide, OrderFilled, OrderSubmitted, Permission

pytest.importorskip("hummingbot", reason="NOT TRIED: Hummingbot is not installed")

from hummingbot.connector.client_order_tracker import ClientOrderTracker
from hummingbot.connector.exchange.xrpl import xrpl_worker_pool
from hummingbot.connector.exchange.xrpl.xrpl_exchange import XrplExchange
from hummingbot.connector.exchange.xrpl.xrpl_transaction_pipeline import XRPLTransactionPipeline
from hummingbot.core.data_type.common import OrderType, TradeType
from hummingbot.core.data_type.in_flight_order import InFlightOrder, OrderState, OrderUpdate
from hummingbot.core.data_type.trade_fee import AddedToCostTradeFee
from xrpl.models import IssuedCurrencyAmount, Memo, OfferCancel, OfferCreate, Response
from xrpl.models.response import ResponseStatus
from xrpl.wallet import Wallet

USD = IssuedCurrencyAmount(currency="USD", issuer="rhub8VRN55s94qWKDv6jmDy1pUykJzF3wq", value="50")
WALLET = Wallet.create()
MEMO = Memo(memo_data=b"HBOTSXRUD5f1c".hex())
ORDER = OfferCreate(account=WALLET.classic_address, taker_gets="100000000", taker_pays=USD, memos=[MEMO])


@pytest.fixture
def bridge() -> ModuleType:
    return load_example("hummingbot_bridge")


class Bus:
    """Takes announcements, and notes how many transactions had been submitted before."""

    def __init__(self) -> None:
        self.announced: list[tuple[int, object]] = []
        self.submitted = 0

    async def announce(self, announcement: object) -> None:
        self.announced.append((self.submitted, announcement))


class Submitting:
    """A client of Hummingbot's that knows the account's sequence, and takes every transaction."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus

    async def _request_impl(self, *_: object, **__: object) -> Response:
        self.bus.submitted += 1
        return Response(status=ResponseStatus.SUCCESS, result={"engine_result": "tesSUCCESS"})


async def autofilled(transaction: Any, _client: object) -> Any:  # noqa: ANN401
    fields = {"sequence": 20, "fee": "10", "last_ledger_sequence": 95_000_010}
    return type(transaction).from_dict({**transaction.to_dict(), **fields})


async def submit(bridge: ModuleType, transaction: object, permission: Permission, bus: Bus) -> Any:  # noqa: ANN401
    """Send a transaction as the connector does, through its worker pool and its pipeline."""
    watch = MagicMock(current=permission, reason="as the test says")
    original = xrpl_worker_pool.autofill
    xrpl_worker_pool.autofill = bridge.announcing(autofilled, bus, watch)
    pipeline = XRPLTransactionPipeline()
    await pipeline.start()
    pool = xrpl_worker_pool.XRPLTransactionWorkerPool(MagicMock(), WALLET, pipeline)
    try:
        return await asyncio.wait_for(
            pool._submit_through_pipeline(transaction, True, "one", Submitting(bus)),  # noqa: FBT003, SLF001
            20,
        )
    finally:
        xrpl_worker_pool.autofill = original
        await pipeline.stop()


async def test_an_order_is_announced_before_the_connector_submits_it(bridge: ModuleType) -> None:
    bus = Bus()
    result = await submit(bridge, ORDER, Permission.OK, bus)
    assert result.success
    [(before, announced)] = bus.announced
    assert before == 0
    assert isinstance(announced, OrderSubmitted)
    assert (announced.sequence, announced.last_ledger_sequence) == (20, 95_000_010)
    assert announced.client_order_id == "HBOTSXRUD5f1c"
    assert announced.taker_gets == Amount("XRP", Decimal(100_000_000))


async def test_no_order_is_sent_while_it_is_not_permitted_and_cancels_are(bridge: ModuleType) -> None:
    bus = Bus()
    with pytest.raises(bridge.NotPermitted):
        await submit(bridge, ORDER, Permission.STOP, bus)
    assert (bus.submitted, bus.announced) == (0, [])
    cancel = OfferCancel(account=WALLET.classic_address, offer_sequence=20)
    await submit(bridge, cancel, Permission.STOP, bus)
    assert bus.submitted == 1
    assert isinstance(bus.announced[0][1], CancelRequested)


def tracked() -> ClientOrderTracker:
    """Return Hummingbot's tracker with an open order to sell 100 XRP."""
    tracker = ClientOrderTracker(connector=MagicMock())
    order = InFlightOrder(
        client_order_id="HBOTSXRUD5f1c",
        exchange_order_id="20-95000010-AB12CD",
        trading_pair="XRP-USD",
        order_type=OrderType.LIMIT,
        trade_type=TradeType.SELL,
        amount=Decimal(100),
        price=Decimal("0.5"),
        creation_timestamp=1.0,
    )
    tracker.start_tracking_order(order)
    opened = OrderUpdate("XRP-USD", 1.0, OrderState.OPEN, order.client_order_id, order.exchange_order_id)
    order.update_with_order_update(opened)
    return tracker


def traded(xrp: int, usd: str, number: int) -> OrderFilled:
    return msgspec.structs.replace(
        fill(number),
        sequence=20,
        transaction_hash=f"{number:064X}",
        liquidity_side=LiquiditySide.MAKER,
        gave=Amount("XRP", Decimal(xrp)),
        got=Amount(f"USD.{USD.issuer}", Decimal(usd)),
    )


async def test_a_fill_is_booked_once_whoever_sees_it_first(bridge: ModuleType) -> None:
    tracker = tracked()
    order = tracker.all_orders["HBOTSXRUD5f1c"]
    book = bridge.booking(tracker)
    first = traded(40_000_000, "20.4", 1)
    for event in (first, first, traded(10_000_000, "5.1", 2)):
        book(event)
    assert order.executed_amount_base == Decimal(50)
    assert order.executed_amount_quote == Decimal("25.5")
    connectors_own = XrplExchange._create_trade_update(  # noqa: SLF001 - as its polling makes it
        MagicMock(), order, f"{1:064X}", 0, Decimal(40), Decimal("20.4"), AddedToCostTradeFee(), 20
    )
    tracker.process_trade_update(connectors_own)
    assert order.executed_amount_base == Decimal(50)
    assert set(order.order_fills) == {f"{1:064X}_20", f"{2:064X}_20"}
