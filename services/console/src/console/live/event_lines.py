"""An event as one line for a person."""

from rich.text import Text

from console.fitting import Piece, fitted
from console.live.event_feed import Told, Unreadable
from console.tables import COLOURS, printable, quoted
from offer_lifecycle import format_decimal
from order_events import (
    Amount,
    BalanceDrift,
    HistoryGap,
    InvariantBroken,
    OrderAccepted,
    OrderCorrected,
    OrderDisappeared,
    OrderEvent,
    OrderFilled,
    OrderRejected,
    OrdersEvent,
    Provenance,
    ReconcilerConfirmed,
    ReconcilerHalted,
    ReconcilerResumed,
    Side,
)

_KIND_WIDTH = len("order.disappeared")


def event_line(event: Told, width: int | None) -> Text:
    """Write an event for a terminal of `width` columns, or whole (None): see `console.fitting`."""
    if isinstance(event, Unreadable):
        pieces = [Piece(f"unreadable event on {event.subject}: {event.problem}", style="red")]
    elif isinstance(event, OrderEvent):
        pieces = [*_opening(event), *_order_pieces(event)]
    else:
        pieces = [*_opening(event), *_account_pieces(event)]
    shown = [Piece(printable(piece.text), piece.drop, piece.style) for piece in pieces]
    return fitted(shown, width)


def _opening(event: OrdersEvent) -> list[Piece]:
    return [
        Piece(f"{event.occurred_at:%Y-%m-%d}", drop=9),
        Piece(f"{event.occurred_at:%H:%M:%S}Z", drop=1),
        Piece(event.account, drop=3),
    ]


def _order_pieces(event: OrderEvent) -> list[Piece]:
    kind = str(event.__struct_config__.tag)
    pieces = [
        Piece(f"order {event.sequence}"),
        Piece(f"{kind:{_KIND_WIDTH}}"),
        Piece(event.status, style=COLOURS.get(event.status, "")),
    ]
    if isinstance(event, OrderFilled):
        return [*pieces, *_fill_pieces(event)]
    if isinstance(event, OrderAccepted):
        return [*pieces, *_offer_pieces(event)]
    if event.removal_reason is not None and str(event.removal_reason) != str(event.status):
        pieces.append(Piece(event.removal_reason))
    if isinstance(event, OrderRejected):
        pieces.append(Piece(event.result))
    if isinstance(event, OrderDisappeared) and event.remaining:
        pieces.append(Piece(f"{format_decimal(event.remaining)} {_base(event)} left", drop=2))
    if isinstance(event, (OrderDisappeared, OrderCorrected)) and event.anomaly:
        pieces.append(Piece("anomaly", style="bold red"))
    if isinstance(event, OrderCorrected):
        pieces.append(Piece(f"what was told of it is {event.correction}"))
    if event.removed_by is not None:
        pieces += _hash_pieces(event.removed_by)
    return pieces


def _offer_pieces(event: OrderAccepted) -> list[Piece]:
    price = "" if event.price is None else f"at {format_decimal(event.price)} {_quote(event)}"
    return [
        Piece(f"{event.side} {format_decimal(event.quantity)} {_base(event)}", drop=2),
        Piece(price, drop=2),
        Piece(event.market, drop=6),
    ]


def _fill_pieces(event: OrderFilled) -> list[Piece]:
    base, total = (event.gave, event.got) if event.side is Side.SELL else (event.got, event.gave)
    price = "" if event.last_px is None else f"at {format_decimal(event.last_px)} {_symbol(total.asset)}"
    guess = "presumed: no ledger shows it" if event.provenance is Provenance.PRESUMED else ""
    return [
        Piece(f"{event.side} {quoted(base)}"),
        Piece(price),
        Piece(f"total {quoted(total)}", drop=2),
        Piece(f"{format_decimal(event.leaves_qty)} {_base(event)} left", drop=4),
        Piece(guess, style="bold red"),
        Piece(event.market, drop=6),
        *_hash_pieces(event.transaction_hash or ""),
    ]


def _hash_pieces(transaction_hash: str) -> list[Piece]:
    if not transaction_hash:
        return []
    return [
        Piece(f"by {transaction_hash}", drop=8),
    ]


def _account_pieces(event: OrdersEvent) -> list[Piece]:
    more: list[Piece] = []
    match event:
        case ReconcilerHalted():
            more = [Piece(event.reason, style="bold red")]
        case ReconcilerResumed():
            more = [Piece(f"by {event.resumed_by}"), Piece(event.note, drop=2)]
        case BalanceDrift():
            asset = event.currency if event.issuer is None else f"{event.currency}.{event.issuer}"
            found = quoted(Amount(asset, event.amount))
            more = [Piece(f"{found} that nothing explains", style="bold red")]
        case HistoryGap():
            ledgers = f"ledgers {event.first_ledger} to {event.last_ledger}"
            more = [Piece(ledgers), Piece(event.resolution)]
        case ReconcilerConfirmed():
            ledgers = f"ledgers {event.first_ledger} to {event.ledger_index}"
            more = [Piece(ledgers), Piece(f"by {', '.join(event.confirmed_by)}", drop=2)]
        case InvariantBroken():
            told = f"{event.transaction_type} {event.transaction_hash}: {event.asset} does not add up"
            found = f"expected {event.expected}, found {format_decimal(event.found)}"
            more = [Piece(told, style="bold red"), Piece(found, drop=2)]
    return [Piece(str(event.__struct_config__.tag), style="bold"), *more]


def _base(event: OrderEvent) -> str:
    return _symbol(event.market.partition("/")[0])


def _quote(event: OrderEvent) -> str:
    return _symbol(event.market.partition("/")[2])


def _symbol(asset: str) -> str:
    return asset.partition(".")[0]
