"""A finding in one sentence."""

from decimal import Decimal

from console.compare.findings import MEANINGS, Finding, Kind
from offer_lifecycle import format_decimal


def sentence(finding: Finding) -> str:
    """Say a finding in one sentence."""
    number = finding.sequence if finding.sequence is not None else finding.book.order_id
    words = [f"order {number}: {MEANINGS[finding.kind]}"]
    book, ledger = finding.book, finding.ledger
    code, quote = finding.pair.split("/")
    if book.base is not None and book.quote is not None and (book.base or ledger.base):
        words.append(f"booked {_shown(book.base)} {code} for {_shown(book.quote)} {quote}")
    if ledger.base is not None and ledger.quote is not None and (ledger.base or book.base):
        words.append(f"ledger {_shown(ledger.base)} {code} for {_shown(ledger.quote)} {quote}")
    if finding.kind in {Kind.ENDED_OTHERWISE, Kind.OPEN_IN_BOOK_GONE_ON_LEDGER} or finding.effects:
        words.append(
            f"book says {book.status or 'nothing'}, ledger {finding.cause or ledger.status or 'nothing'}"
        )
    return "; ".join(words)


_SHOWN_DIGITS = 10


def _shown(amount: Decimal) -> str:
    if not amount:
        return "0"
    return format_decimal(round(amount, max(0, _SHOWN_DIGITS - 1 - amount.adjusted())))
