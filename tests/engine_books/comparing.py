"""Comparing a made book, and holding what is found against what was put in."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from console.compare.comparison import Comparison, Options, compare, read
from console.compare.findings import Finding, Kind
from engine_books.faults import FaultyBook, Injected
from engine_books.truth import recorded

WHOLE_HASH = 64


def compared(session: str, paths: Sequence[Path], **options: object) -> Comparison:
    """Compare a book that holds every order of its scope with its session."""
    chosen = Options(books=tuple(paths), **{"complete": True, **options})
    return compare(read(chosen), chosen, recorded(session).record, lambda *_: None)


def found_in(comparison: Comparison) -> Counter[tuple[Kind, object]]:
    """Return what was found: kind and order."""
    return Counter((one.kind, _order(one)) for one in comparison.judged.findings)


def put_into(book: FaultyBook, *, sequences: bool = True) -> Counter[tuple[Kind, object]]:
    """Return what has to be found; `sequences`: the book says an unknown order's sequence."""
    return Counter(
        (one.kind, _injected(one, sequences=sequences)) for one in book.injected if one.kind is not None
    )


def _order(finding: Finding) -> object:
    if finding.kind is Kind.UNKNOWN_ORDER and finding.sequence is None:
        return finding.placed_tx
    return finding.account, finding.sequence


def _injected(one: Injected, *, sequences: bool) -> object:
    if one.kind is Kind.UNKNOWN_ORDER and not sequences:
        return one.placed_tx
    return one.account, one.sequence
