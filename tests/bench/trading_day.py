"""A made-up day of a market maker, of any length: orders are placed, filled partly and whole, and canceled.

Every second ledger has a new order; the oldest one is taken by a stranger, or canceled every fifth time. With
4 seconds a ledger that is about 10,000 orders a day, of which always as many are open.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import made_ledger as made
import msgspec
from bench.partial_fills import FIRST_LEDGER, ISSUER, MAKER, TAKER, TEMPLATE, closed_ledger

from replay_node.keys import account_id, account_key, line_key, offer_key
from replay_node.session import RecordedLedger, Session

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN_ORDERS = 8
DROPS = 2_000_000
"""That each order offers, for one USD."""
HALF = DROPS // 2
FEE = 12
LEDGERS_BETWEEN_ORDERS = 2
CANCELED = 5
"""One order of so many is canceled."""
PARTLY_FILLED = 3
"""After so many orders one is filled by half."""
Json = dict[str, Any]


class TradingDay:
    """The maker's and the taker's accounts, ledger by ledger."""

    def __init__(self) -> None:
        self._drops = {MAKER: 10**15, TAKER: 10**15}
        self._usd = {MAKER: Decimal(10_000), TAKER: Decimal(10_000_000)}
        self._sequence = {MAKER: 1_000 + OPEN_ORDERS, TAKER: 1}
        self._left = {1_000 + number: DROPS for number in range(OPEN_ORDERS)}
        """Of each open order."""
        self._made: list[Json] = []
        """The transactions of the ledger that is being made."""
        self._placed = 0

    def session(self, ledgers: int) -> Session:
        """Return the day; the first ledger has the first open orders."""
        made_ledgers = list(self._ledgers(ledgers))
        return Session(
            name="trading_day",
            about="made up",
            accounts={"maker": MAKER, "taker": TAKER, "issuer": ISSUER},
            orders=(),
            ledgers=tuple(made_ledgers),
        )

    def _ledgers(self, count: int) -> Iterator[RecordedLedger]:
        first = closed_ledger(FIRST_LEDGER, ())
        parent = first.header["ledger_hash"]
        yield msgspec.structs.replace(first, after=self._after())
        for index in range(FIRST_LEDGER + 1, FIRST_LEDGER + count + 1):
            self._made = []
            if index % LEDGERS_BETWEEN_ORDERS == 0:
                self._trade()
            ledger = closed_ledger(index, tuple(self._made), parent)
            parent = ledger.header["ledger_hash"]
            yield msgspec.structs.replace(ledger, after=self._after())

    def _trade(self) -> None:
        oldest, second, *_ = self._left
        self._place()
        if self._placed % CANCELED == 0:
            self._cancel(oldest)
        else:
            self._fill(oldest, self._left[oldest])
        if self._placed % PARTLY_FILLED == 0:
            self._fill(second, HALF)

    def _place(self) -> None:
        self._placed += 1
        sequence = self._sequence[MAKER]
        self._left[sequence] = DROPS
        node = _offer("CreatedNode", sequence, DROPS)
        root = self._root(MAKER, -FEE, owned=1, signs=True)
        self._add(MAKER, "OfferCreate", [node, root], TakerGets=str(DROPS), TakerPays=_usd(DROPS))

    def _cancel(self, sequence: int) -> None:
        node = _offer("DeletedNode", sequence, self._left.pop(sequence))
        root = self._root(MAKER, -FEE, owned=-1, signs=True)
        self._add(MAKER, "OfferCancel", [node, root], OfferSequence=sequence)

    def _fill(self, sequence: int, drops: int) -> None:
        before = self._left[sequence]
        self._left[sequence] = left = before - drops
        if left:
            node = _offer("ModifiedNode", sequence, left, before=before)
        else:
            del self._left[sequence]
            node = _offer("DeletedNode", sequence, 0, before=before)
        lines = [self._line(MAKER, _dollars(drops)), self._line(TAKER, -_dollars(drops))]
        roots = [
            self._root(MAKER, -drops, owned=0 if left else -1),
            self._root(TAKER, drops - FEE, owned=0, signs=True),
        ]
        amounts = {"TakerGets": _usd(drops), "TakerPays": str(drops)}
        self._add(TAKER, "OfferCreate", [node, *roots, *lines], **amounts)

    def _add(self, account: str, kind: str, nodes: list[Json], **fields: object) -> None:
        sequence, place = self._sequence[account] - 1, len(self._made)
        self._made.append(made.tx(kind, nodes, account=account, sequence=sequence, index=place, **fields))

    def _root(self, account: str, drops: int, *, owned: int, signs: bool = False) -> Json:
        # the open orders stand as they are after the transaction: the root owns them and a trust line
        owns = 1 + (len(self._left) if account == MAKER else 0)
        had = {
            "Balance": str(self._drops[account]),
            "OwnerCount": owns - owned,
            "Sequence": self._sequence[account],
        }
        self._drops[account] += drops
        self._sequence[account] += signs
        has = {
            "Balance": str(self._drops[account]),
            "OwnerCount": owns,
            "Sequence": self._sequence[account],
        }
        changed = {name: value for name, value in had.items() if value != has[name]}
        entry = {
            "LedgerEntryType": "AccountRoot",
            "LedgerIndex": account_key(account),
            "FinalFields": {"Account": account, "Flags": 0, **has},
            "PreviousFields": changed,
        }
        return {"ModifiedNode": entry}

    def _line(self, account: str, dollars: Decimal) -> Json:
        had = self._usd[account]
        self._usd[account] = has = had + dollars
        is_low = account_id(account) < account_id(ISSUER)
        sign = 1 if is_low else -1
        own = {"currency": "USD", "value": "1000000000", "issuer": account}
        other = {"currency": "USD", "value": "0", "issuer": ISSUER}
        balance = {"currency": "USD", "issuer": made.ZERO_ACCOUNT}
        entry = {
            "LedgerEntryType": "RippleState",
            "LedgerIndex": line_key(account, ISSUER, "USD"),
            "FinalFields": {
                "Balance": {**balance, "value": f"{sign * has:f}"},
                "LowLimit": own if is_low else other,
                "HighLimit": other if is_low else own,
                "Flags": 0x0001_0000 if is_low else 0x0002_0000,
                "LowNode": "0",
                "HighNode": "0",
            },
            "PreviousFields": {"Balance": {**balance, "value": f"{sign * had:f}"}},
        }
        return {"ModifiedNode": entry}

    def _after(self) -> dict[str, Json]:
        template: Json = TEMPLATE.ledgers[0].after["maker"]
        rows = [
            {
                "flags": 0,
                "quality": "0.0000005",
                "seq": sequence,
                "taker_gets": str(left),
                "taker_pays": _usd(left),
            }
            for sequence, left in self._left.items()
        ]
        root = {
            **template["account_data"],
            "Balance": str(self._drops[MAKER]),
            "OwnerCount": 1 + len(rows),
            "Sequence": self._sequence[MAKER],
        }
        [line] = template["lines"]
        lines = [{**line, "balance": f"{self._usd[MAKER]:f}"}]
        return {"maker": {"account_data": root, "offers": rows, "lines": lines}}


def _offer(kind: str, sequence: int, left: int, *, before: int | None = None) -> Json:
    previous = None if before is None else {"TakerGets": str(before), "TakerPays": _usd(before)}
    node = made.offer(
        kind,
        sequence,
        str(left),
        _usd(left),
        before=previous,
        owner=MAKER,
        BookDirectory="0" * 64,
        **({} if kind == "CreatedNode" else {"Flags": 0, "BookNode": "0", "OwnerNode": "0"}),
    )
    node[kind]["LedgerIndex"] = offer_key(MAKER, sequence)
    return node


def _dollars(drops: int) -> Decimal:
    return Decimal(drops) / DROPS


def _usd(drops: int) -> Json:
    return {"currency": "USD", "issuer": ISSUER, "value": f"{_dollars(drops):f}"}
