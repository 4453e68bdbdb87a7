"""What happened while somebody watched: the last lines of `run`."""

from collections import Counter, defaultdict
from decimal import Decimal

from rich.text import Text

from console.fitting import Piece, counted, fitted
from console.live.event_feed import Told
from offer_lifecycle import EXACT, format_decimal, units
from order_events import (
    OrderCorrected,
    OrderDisappeared,
    OrderEvent,
    OrderFilled,
    Provenance,
    Side,
)
from order_events.vocabulary import Correction

_ENDED = {"FILLED", "CANCELED", "EXPIRED", "REJECTED", "REMOVED", "LOST"}


class Totals:
    """Counts the events that were shown."""

    def __init__(self) -> None:
        """Nothing was shown yet."""
        self._ends: dict[tuple[str, int], str] = {}
        self._fills: Counter[tuple[str, Side]] = Counter()
        self._base: dict[tuple[str, Side], Decimal] = defaultdict(Decimal)
        self._quote: dict[tuple[str, Side], Decimal] = defaultdict(Decimal)
        self._accepted = 0
        self._anomalies: set[str] = set()

    @property
    def anomalies(self) -> int:
        """Ends that no engine asked for, without those that were withdrawn."""
        return len(self._anomalies)

    def add(self, event: Told) -> None:
        """Count an event."""
        if not isinstance(event, OrderEvent):
            return
        if event.status in _ENDED:
            self._ends[event.account, event.sequence] = event.removal_reason or event.status
        elif isinstance(event, OrderCorrected):
            self._ends.pop((event.account, event.sequence), None)
        if isinstance(event, OrderDisappeared) and event.anomaly:
            self._anomalies.add(str(event.event_id))
        if isinstance(event, OrderCorrected) and event.correction is Correction.WITHDRAWN:
            self._anomalies.discard(str(event.corrects))
        if isinstance(event, OrderFilled) and event.provenance is not Provenance.PRESUMED:
            self._add_fill(event)
        self._accepted += str(event.__struct_config__.tag) == "order.accepted"

    def lines(self, width: int | None) -> list[Text]:
        """Write the totals for a terminal of that width; None: whole."""
        ends = Counter(self._ends.values())
        first = [
            Piece(f"{self._accepted} accepted"),
            Piece(counted(self._fills.total(), "fill")),
            *(Piece(f"{cause} {count}") for cause, count in ends.most_common()),
            Piece(counted(self.anomalies, "anomaly"), style="bold red" if self.anomalies else ""),
        ]
        return [fitted(first, width), *(self._market(key, width) for key in sorted(self._fills))]

    def _add_fill(self, event: OrderFilled) -> None:
        base, quote = (event.gave, event.got) if event.side is Side.SELL else (event.got, event.gave)
        key = event.market, event.side
        self._fills[key] += 1
        self._base[key] = EXACT.add(self._base[key], units(base))
        self._quote[key] = EXACT.add(self._quote[key], units(quote))

    def _market(self, key: tuple[str, Side], width: int | None) -> Text:
        market, side = key
        base, quote = (asset.partition(".")[0] for asset in market.split("/"))
        bought = "bought" if side is Side.BUY else "sold"
        return fitted(
            [
                Piece(f"{bought} {format_decimal(self._base[key])} {base}"),
                Piece(f"for {format_decimal(self._quote[key])} {quote}"),
                Piece(f"in {counted(self._fills[key], 'fill')}", drop=1),
                Piece(market, drop=2),
            ],
            width,
        )
