"""Whether the reconciler follows, by its own metrics: the status line of `run`."""

from collections import deque
from collections.abc import Iterable

import msgspec
from prometheus_client.samples import Sample
from rich.text import Text

from console.fitting import Piece, counted, fitted
from console.tables import chip

FALLEN_BEHIND = 2
"""Ledgers: a lag of one or two is a ledger on its way."""
SILENT_SECONDS = 15.0
"""A ledger closes every three to five seconds."""
_MINUTE = 60.0


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """What the reconciler's metrics say at one moment."""

    ledger: int
    """The newest validated ledger that was seen; 0: none so far."""
    lag: int
    """Ledgers that the account furthest behind has not read yet."""
    silent: float
    """Seconds since a new ledger was seen."""
    servers_up: tuple[str, ...]
    servers_down: tuple[str, ...]
    open_orders: int
    halted: bool
    set_aside: int
    """Accounts that an unexpected exception has set aside."""
    requests_per_minute: int

    @property
    def follows(self) -> bool:
        """Whether every ledger is read as it closes."""
        return not self.obstacle

    @property
    def obstacle(self) -> str:
        """What stands against it, in words; empty: nothing."""
        if self.servers_down and not self.servers_up:
            return f"NOT FOLLOWING: no server answers ({', '.join(self.servers_down)})"
        if not self.ledger:
            return "waiting for the first validated ledger"
        if self.silent >= SILENT_SECONDS:
            return f"NOT FOLLOWING: no new ledger for more than {SILENT_SECONDS:g} s"
        if self.set_aside:
            return f"NOT FOLLOWING {self.set_aside} of the accounts: see the reconciler's log"
        if self.lag > FALLEN_BEHIND:
            return "catching up"
        return ""

    @property
    def verdict(self) -> str:
        """Whether it follows, in words that change only when the answer does."""
        return self.obstacle or "following every ledger as it closes"


class FollowingWatch:
    """Makes of the metrics, read again and again, what they say about following."""

    def __init__(self) -> None:
        """Nothing has been seen yet."""
        self._ledger = 0
        self._since: float | None = None
        self._requests: deque[tuple[float, float]] = deque()

    def look(self, samples: Iterable[Sample], now: float) -> Following:
        """Take all samples of one reading; `now`: seconds on a clock that never goes back."""
        samples = list(samples)
        ledger = int(_value(samples, "reconciler_validated_ledger"))
        if ledger > self._ledger or self._since is None:
            self._ledger, self._since = ledger, now
        up = {
            sample.labels["server"]: bool(sample.value)
            for sample in samples
            if sample.name == "reconciler_server_up"
        }
        return Following(
            ledger=self._ledger,
            lag=int(_value(samples, "reconciler_cursor_lag_ledgers")),
            silent=now - self._since,
            servers_up=tuple(name for name, answers in up.items() if answers),
            servers_down=tuple(name for name, answers in up.items() if not answers),
            open_orders=int(_value(samples, "reconciler_open_orders")),
            halted=bool(_value(samples, "reconciler_halted")),
            set_aside=int(_value(samples, "reconciler_accounts_set_aside")),
            requests_per_minute=self._last_minute(_value(samples, "reconciler_request_seconds_count"), now),
        )

    def _last_minute(self, requests: float, now: float) -> int:
        self._requests.append((now, requests))
        while now - self._requests[0][0] > _MINUTE:
            self._requests.popleft()
        return round(requests - self._requests[0][1])


def status_line(now: Following, anomalies: int, width: int | None) -> Text:
    """Write the status for a terminal of that width; None: whole."""
    servers = ", ".join(now.servers_up) or "no server"
    pieces = [
        Piece(now.verdict, style="" if now.follows else "bold red"),
        Piece(f"ledger {now.ledger}", drop=1),
        Piece(f"lag {now.lag}", drop=2),
        Piece("HALTED: fillproof status" if now.halted else "", style="bold red"),
        Piece(f"{now.open_orders} open", drop=3),
        Piece(counted(anomalies, "anomaly"), drop=2, style=str(chip(anomalies).style)),
        Piece(f"{now.requests_per_minute} requests/min", drop=5),
        Piece(servers, drop=6),
        Piece(f"down: {', '.join(now.servers_down)}" if now.servers_up and now.servers_down else "", drop=4),
    ]
    return fitted(pieces, width)


def _value(samples: Iterable[Sample], name: str) -> float:
    return sum(sample.value for sample in samples if sample.name == name)
