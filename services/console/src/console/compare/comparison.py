"""One comparison: read the book, say what it covers, read the ledger, join, match, judge."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import msgspec

from console.compare.assets import Assets, Orientation, parse_pairs
from console.compare.books import Book, read_book
from console.compare.books.book import Pair
from console.compare.books.reading import ReadingOptions
from console.compare.errors import AmbiguousBook
from console.compare.joining import Joined, join_orders
from console.compare.ledger import LedgerRecord, Reading
from console.compare.ledger.record import Watch
from console.compare.matching import Match, Matched, match_fills
from console.compare.precision import Measure
from console.compare.scope import Scope, accounts_of
from console.compare.verdicts import Judged, judge
from console.compare.writing import FindingWriter
from console.errors import BadOption
from offer_lifecycle import RATIO

_UNITS = Decimal(1_000_000)
_EXACTLY = Decimal("0.000001")
_FEW = 3
"""So many rows with the same error are the book's, and not the rows'."""
_ZONE_STEP = timedelta(minutes=15)
_ZONE_ERROR = timedelta(seconds=90)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the person who calls asks for."""

    books: tuple[Path, ...]
    accounts: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()
    first: int | None = None
    last: int | None = None
    complete: bool = False
    zone: str | None = None
    mapping: Path | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """All that a report is made from."""

    book: Book
    scope: Scope
    reading: Reading
    judged: Judged
    matched: Matched
    inferred_issuers: dict[str, str]


def read(options: Options) -> Book:
    """Read the book as the options say; raises what `read_book` does."""
    return read_book(
        options.books,
        ReadingOptions(
            mapping=options.mapping,
            zone=options.zone,
            account=options.accounts[0] if len(options.accounts) == 1 else None,
            pair=options.pairs[0] if len(options.pairs) == 1 else None,
        ),
    )


def compare(book: Book, options: Options, record: LedgerRecord, watch: Watch) -> Comparison:
    """Hold a book against the ledger.

    Raises:
        BadOption: no account is known, or the ledger's record does not have it.
        AmbiguousBook: the book can be read in more than one way.

    """
    accounts = _accounts(book, options, record)
    reading = record.read(accounts, options.first, options.last, watch)
    assets = Assets(reading.orders, options.issuers)
    pairs = {assets.pair(pair) for pair in _pairs(book)}
    scope = Scope(
        accounts=tuple(accounts),
        pairs=tuple(assets.pair(pair) for pair in parse_pairs(options.pairs)),
        first=options.first,
        last=options.last,
        complete=options.complete,
        coverage={covered.account: covered for covered in reading.coverage},
    )
    turn = Orientation([*scope.pairs, *pairs]).turn
    orders = [turn(order) for order in reading.orders]
    measure = Measure(book.precision)
    joined = join_orders(book, orders, measure, assets.pair)
    _check_units(joined)
    matched = match_fills(book, joined, orders, measure)
    _check_clock(matched)
    writer = FindingWriter(measure, assets.pair, reading.explain)
    judged = judge(book, joined, matched, scope, writer)
    return Comparison(
        book=book,
        scope=scope,
        reading=msgspec.structs.replace(reading, orders=orders),
        judged=judged,
        matched=matched,
        inferred_issuers=assets.inferred,
    )


def _accounts(book: Book, options: Options, record: LedgerRecord) -> list[str]:
    named = [*(order.account for order in book.orders), *(fill.account for fill in book.fills)]
    accounts = accounts_of(named, options.accounts)
    if not accounts:
        known = ", ".join(record.accounts())
        raise BadOption(
            "the book does not say which account it is of: expected --account ADDRESS"
            + (f" (the ledgers read have {known})" if known else "")
        )
    return accounts


def _pairs(book: Book) -> Iterable[Pair]:
    pairs = [*(order.pair for order in book.orders), *(fill.pair for fill in book.fills)]
    return dict.fromkeys(pair for pair in pairs if pair is not None)


def _check_units(joined: Joined) -> None:
    """Refuse a book whose quantities or prices are exactly a million times the ledger's, or a millionth."""
    for what in ("quantity", "price"):
        ratios = [
            ratio
            for one in joined.orders
            if (ratio := _ratio(getattr(one.book, what), getattr(one.ledger, what))) is not None
        ]
        for factor in (_UNITS, 1 / _UNITS):
            off = sum(abs(ratio / factor - 1) <= _EXACTLY for ratio in ratios)
            if off and (off >= _FEW or off == len(ratios)) and 2 * off >= len(ratios):
                raise AmbiguousBook(
                    f"units? Of {len(ratios)} orders {off} have a {what} that is exactly "
                    f"{factor.normalize():f} times the ledger's: is it drops, or a whole number of 10^-6? "
                    "Say so in a mapping file (`scales` in docs/compare.md)"
                )


def _ratio(booked: Decimal | None, placed: Decimal | None) -> Decimal | None:
    return None if not booked or not placed else RATIO.divide(booked, placed)


def _check_clock(matched: Matched) -> None:
    """Refuse a book whose fills are nearly all the same quarters of an hour beside the ledger's."""
    apart = [
        one.fill.time - one.happened.at.time
        for one in matched.fills
        if one.match is Match.SAME and one.happened is not None and one.fill.time is not None
    ]
    steps = [round(difference / _ZONE_STEP) for difference in apart]
    zones = {step for step, difference in zip(steps, apart, strict=True) if _near_step(step, difference)}
    for step in zones - {0}:
        same = sum(step == one and _near_step(one, away) for one, away in zip(steps, apart, strict=True))
        if same >= _FEW and same * 5 >= len(apart) * 4:
            raise AmbiguousBook(
                f"time zone? {same} of {len(apart)} fills are booked {step * _ZONE_STEP} beside the close "
                "of their ledgers: say with --tz which zone the book's times are in"
            )


def _near_step(step: int, difference: timedelta) -> bool:
    return abs(difference - step * _ZONE_STEP) <= _ZONE_ERROR
