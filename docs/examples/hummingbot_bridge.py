"""A bridge to Fillproof for Hummingbot's XRPL connector: announcements, trading permission, proven fills.

Copy it beside Hummingbot and start it once the connector runs, from a script or a controller:

    safe_ensure_future(hummingbot_bridge.run(connector, BusAccess(url="nats://127.0.0.1:4222")))

It changes no file of Hummingbot. Each order and each cancel is announced after its sequence is known and
before it is signed; an order is not sent where Fillproof does not permit it, or where it could not be
announced. Fills of the ledger reach the order tracker by the trade ids that the connector itself gives them,
so each counts once, whoever sees it first.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from hummingbot.connector.exchange.xrpl import xrpl_worker_pool
from hummingbot.core.data_type.common import TradeType
from hummingbot.core.data_type.in_flight_order import InFlightOrder, TradeUpdate
from hummingbot.core.data_type.trade_fee import AddedToCostTradeFee
from nats.errors import Error as BusError
from xrpl.models import OfferCancel, OfferCreate, Transaction

from engine_client import BusAccess, EngineBus, PermissionWatch
from order_events import (
    Amount,
    CancelRequested,
    LiquiditySide,
    OrderFilled,
    OrdersEvent,
    OrderSubmitted,
    Permission,
    Provenance,
)

DROPS_PER_XRP = 1_000_000
_log = logging.getLogger("fillproof.bridge")

Autofill = Callable[..., Awaitable[Transaction]]


class NotPermitted(Exception):
    """Fillproof does not permit new orders now; Hummingbot takes the order for failed."""


async def run(connector: Any, access: BusAccess, *, network_id: int = 0) -> None:  # noqa: ANN401 - not typed by it
    """Announce, obey and book for the connector's account, until cancelled."""
    account = connector.auth.get_account()
    bus = await EngineBus.connected(access)
    permission = bus.watch_permission(account, network_id=network_id)
    original = xrpl_worker_pool.autofill
    xrpl_worker_pool.autofill = announcing(original, bus, permission)
    try:
        await asyncio.gather(permission.run(), bus.follow_orders(account, booking(connector._order_tracker)))  # noqa: SLF001
    finally:
        xrpl_worker_pool.autofill = original
        await bus.close()


def announcing(autofill: Autofill, bus: EngineBus, permission: PermissionWatch) -> Autofill:
    """Return the connector's `autofill`, after which a transaction of an order is announced."""

    async def announced(transaction: Transaction, *more: object, **options: object) -> Transaction:
        filled = await autofill(transaction, *more, **options)
        if isinstance(filled, OfferCreate):
            if permission.current is not Permission.OK:
                raise NotPermitted(f"{permission.current}: {permission.reason}")
            await bus.announce(_order(filled))
        elif isinstance(filled, OfferCancel):
            try:
                await bus.announce(_cancel(filled))
            except (BusError, TimeoutError) as error:  # cancels are sent, announced or not
                _log.warning("a cancel could not be announced: %s", error)
        return filled

    return announced


def booking(tracker: Any) -> Callable[[OrdersEvent], None]:  # noqa: ANN401
    """Return what books the fills of the ledger in Hummingbot's order tracker."""

    def book(event: OrdersEvent) -> None:
        if not isinstance(event, OrderFilled) or event.provenance is Provenance.PRESUMED:
            return
        named = f"{event.sequence}-"  # an exchange_order_id is SEQUENCE-LAST_LEDGER-HASH
        order = next(
            (one for one in tracker.all_orders.values() if (one.exchange_order_id or "").startswith(named)),
            None,
        )
        if order is None:
            _log.warning("order %s is not Hummingbot's: its fill is not booked", event.sequence)
            return
        tracker.process_trade_update(_update(event, order))

    return book


def _update(event: OrderFilled, order: InFlightOrder) -> TradeUpdate:
    base, quote = (event.got, event.gave) if order.trade_type is TradeType.BUY else (event.gave, event.got)
    # as the connector names trades: its own transaction's, or another's that took its offer
    trade_id = str(event.transaction_hash)
    if event.liquidity_side is LiquiditySide.MAKER:
        trade_id = f"{trade_id}_{event.sequence}"
    return TradeUpdate(
        trade_id=trade_id,
        client_order_id=order.client_order_id,
        exchange_order_id=order.exchange_order_id,
        trading_pair=order.trading_pair,
        fill_timestamp=event.occurred_at.timestamp(),
        fill_price=_units(quote) / _units(base),
        fill_base_amount=_units(base),
        fill_quote_amount=_units(quote),
        fee=AddedToCostTradeFee(),
    )


def _order(transaction: OfferCreate) -> OrderSubmitted:
    memos = transaction.memos or []
    return OrderSubmitted(
        account=transaction.account,
        sequence=transaction.sequence or transaction.ticket_sequence,
        taker_gets=_amount(transaction.taker_gets),
        taker_pays=_amount(transaction.taker_pays),
        flags=transaction.to_dict().get("flags", 0),
        last_ledger_sequence=transaction.last_ledger_sequence,
        client_order_id=bytes.fromhex(memos[0].memo_data).decode() if memos else None,
    )


def _cancel(transaction: OfferCancel) -> CancelRequested:
    return CancelRequested(
        account=transaction.account,
        sequence=transaction.offer_sequence,
        cancel_sequence=transaction.sequence,
        last_ledger_sequence=transaction.last_ledger_sequence,
    )


def _amount(written: Any) -> Amount:  # noqa: ANN401 - drops, or an amount of a token
    if isinstance(written, str):
        return Amount("XRP", Decimal(written))
    return Amount(f"{written.currency}.{written.issuer}", Decimal(written.value))


def _units(amount: Amount) -> Decimal:
    return amount.value / DROPS_PER_XRP if amount.asset == "XRP" else amount.value
