"""When the next recorded ledger closes."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Every `seconds`, or when a client has read up to the validated ledger; else on `ledger_accept`.

    A client that subscribes to the ledgers and their transactions has read what it does not ask for soon.
    """

    seconds: float | None = None
    on_read: bool = False

    async def keep(self, close_ledger: Callable[[], None]) -> None:
        """Close ledgers by the clock until canceled; returns at once where the pace has no clock."""
        while self.seconds is not None:
            await asyncio.sleep(self.seconds)
            close_ledger()


def parse_pace(text: str) -> Pace:
    """Read a pace from the command line.

    Raises:
        ValueError: the text is neither `read`, `manual` nor a number of seconds above zero.

    """
    if text in ("read", "manual"):
        return Pace(on_read=text == "read")
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"expected `read`, `manual` or seconds above zero, found {text!r}")
    return Pace(seconds=seconds)
