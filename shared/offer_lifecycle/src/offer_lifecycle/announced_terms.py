"""Terms of an order that the engine announces: amounts, Expiration, and the hashes of its transaction."""

import msgspec

from offer_lifecycle.amounts import canonical_amount, limit_price, market_of
from offer_lifecycle.order import MOST_HASHES, Order
from offer_lifecycle.transaction import RIPPLE_EPOCH
from order_events import OrderSubmitted


def upper_case(transaction_hash: str | None) -> str | None:
    """Return a hash as the ledger writes it; engines write either case."""
    return None if transaction_hash is None else transaction_hash.upper()


def with_announced_terms(order: Order, event: OrderSubmitted) -> Order:
    """Return the order with what the announcement says its transaction asks for."""
    gets, pays = canonical_amount(event.taker_gets), canonical_amount(event.taker_pays)
    expiration = event.expiration
    order = msgspec.structs.replace(
        order,
        gets=gets,
        pays=pays,
        price=limit_price(market_of(gets.asset, pays.asset)[1], gets, pays),
        expiration=None if expiration is None else int(expiration.timestamp()) - RIPPLE_EPOCH,
    )
    return with_announced_hash(order, event, latest=True)


def with_announced_hash(order: Order, event: OrderSubmitted, *, latest: bool) -> Order:
    """Return the order with one more announced hash; `latest`: that of the latest deadline."""
    announced = upper_case(event.transaction_hash)
    first = order.submitted_hash
    if announced is None or announced == first or announced in order.earlier_hashes:
        return order
    if first is None or not latest:
        kept, earlier = (announced, ()) if first is None else (first, (announced,))
    else:
        kept, earlier = announced, (first,)
    hashes = (*order.earlier_hashes, *earlier)[-MOST_HASHES:]
    return msgspec.structs.replace(order, submitted_hash=kept, earlier_hashes=hashes)
