"""The report as one self-contained page: no script, style, font or picture from anywhere."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import msgspec

from console.compare.assets import code_of
from console.compare.charts import histogram, step_line
from console.compare.ends import BOOK_ENDS
from console.compare.findings import MEANINGS, Finding
from console.compare.report import AGREES, DIFFERS, Report
from console.compare.screen import exact, notes, precision_text, signed
from console.errors import BadOption
from offer_lifecycle import format_decimal

_TONES = {AGREES: "good", DIFFERS: "bad"}
_MOST = 5_000
"""Findings in the page's table; more are left to `--json`."""


def write_page(report: Report, path: Path) -> None:
    """Write the page; raises BadOption where the file can't be written."""
    try:
        path.write_text(render(report), "utf-8")
    except OSError as error:
        raise BadOption(f"expected a file that can be written at {path}, found: {error.strerror}") from error


def render(report: Report) -> str:
    """Return the page."""
    folder = resources.files("console.compare") / "page"
    template = Template((folder / "page.html").read_text("utf-8"))
    return template.substitute(
        style=(folder / "page.css").read_text("utf-8"),
        script=(folder / "page.js").read_text("utf-8"),
        findings=_json([_shown(one) for one in report.findings[:_MOST]]),
        tone=_TONES.get(report.status, "warn"),
        verdict=escape(report.verdict),
        scope=_scope(report),
        coverage=_coverage(report),
        position=_position(report),
        lines="".join(_position_lines(report)),
        matrix=_matrix(report),
        histograms=_histograms(report),
        policies=_policies(report),
        kinds=_kinds(report.findings),
        not_checked=_not_checked(report),
        left_out=_left_out(report.findings),
    )


def _json(value: object) -> str:
    """Return JSON that may stand inside a script element."""
    return msgspec.json.encode(value).decode().replace("</", "<\\/").replace("<!--", "<\\u0021--")


def _shown(finding: Finding) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(finding)
    moved = ", ".join(f"{signed(one.value)} {code_of(one.asset)}" for one in finding.position)
    return built | {"moved": moved, "meaning": MEANINGS[finding.kind], "quote_code": code_of(finding.quote)}


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _scope(report: Report) -> str:
    scope, book = report.comparison.scope, report.comparison.book
    pairs = ", ".join(f"{code_of(pair.base)}/{code_of(pair.quote)}" for pair in scope.pairs) or "all pairs"
    held = (
        "the book holds every order of it" if scope.complete else "what the book does not hold is not asked"
    )
    lines = [
        f"Book: {book.description.format}, {len(book.orders)} orders, {len(book.fills)} fills.",
        f"Files: {', '.join(Path(name).name for name in book.description.files)}.",
        f"SHA-256 of the files: {book.description.digest}.",
        f"Accounts: {', '.join(scope.accounts)}.",
        f"Pairs: {pairs}; since ledger {scope.first or 'the first that was read'}; {held}.",
        precision_text(report),
        *notes(report),
    ]
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _coverage(report: Report) -> str:
    rows = [
        (
            covered.account,
            covered.source,
            f"{covered.first.ledger_index} ({covered.first.time:%Y-%m-%d %H:%M:%S})",
            covered.first_hash or "not on record",
            f"{covered.last.ledger_index} ({covered.last.time:%Y-%m-%d %H:%M:%S})",
            covered.last_hash or "not on record",
            ", ".join(f"{first} to {last}" for first, last in covered.gaps) or "none",
        )
        for covered in report.comparison.reading.coverage
    ]
    return _table(
        ("account", "read from", "after ledger", "its hash", "up to ledger", "its hash", "missing"), rows
    )


def _position(report: Report) -> str:
    rows = [
        (code_of(one.asset), exact(one.book), exact(one.ledger), exact(one.error), exact(one.rounding))
        for one in report.positions
    ]
    return _table(("asset", "book", "ledger", "book less ledger", "of it rounding"), rows)


def _position_lines(report: Report) -> Iterable[str]:
    for one in report.positions:
        taken = [step for step in report.steps if step.asset == one.asset and step.time is not None]
        if taken:
            yield f"<figure><figcaption>{escape(code_of(one.asset))}</figcaption>{step_line(taken)}</figure>"


def _matrix(report: Report) -> str:
    """Count orders by the book's end and the ledger's."""
    counts: Counter[tuple[str, str]] = Counter()
    for case in report.judged.cases:
        if case.book is not None:
            counts[case.book.status, str(case.ledger.reason or case.ledger.status)] += 1
    for order in report.judged.absent:
        counts["not in the book", str(order.reason or order.status)] += 1
    columns = sorted({ledger for _, ledger in counts})
    booked = sorted({book for book, _ in counts}, key=[*BOOK_ENDS, "unknown", "not in the book"].index)
    rows = [(book, *(str(counts[book, ledger] or "") for ledger in columns)) for book in booked]
    return _table(("book \\ ledger", *columns), rows)


def _histograms(report: Report) -> str:
    known = report.population
    parts = (
        ("Age of ended orders, seconds", known.ages, known.phantom_ages),
        ("Distance from the market, basis points", known.distances, known.phantom_distances),
    )
    return "".join(_histogram(title, all_, marked) for title, all_, marked in parts if all_)


def _histogram(title: str, values: Sequence[int | Decimal], marked: Sequence[int | Decimal]) -> str:
    said = escape(f"{title}: {len(marked)} called filled and were not, of {len(values)}")
    drawn = histogram([Decimal(value) for value in values], [Decimal(value) for value in marked])
    return f"<figure><figcaption>{said}</figcaption>{drawn}</figure>"


def _policies(report: Report) -> str:
    rows = [
        (
            one.name,
            str(one.decided),
            str(one.wrong),
            _sums(one.worth),
            _sums(one.error, sign=True),
            str(one.not_placed or ""),
        )
        for one in report.policies
    ]
    return _table(
        ("policy", "orders gone", "booked wrongly", "worth of it", "booked less happened", "not placed"), rows
    )


def _sums(amounts: Mapping[str, Decimal], *, sign: bool = False) -> str:
    write = signed if sign else (lambda value: format_decimal(round(value, 6)))
    return ", ".join(f"{write(value)} {code_of(asset)}" for asset, value in sorted(amounts.items()) if value)


def _kinds(findings: Sequence[Finding]) -> str:
    options = Counter(one.kind.value for one in findings)
    return "".join(
        f'<option value="{kind}">{escape(kind.replace("_", " "))} ({count})</option>'
        for kind, count in options.most_common()
    )


def _not_checked(report: Report) -> str:
    whys = Counter((one.what, one.why) for one in report.judged.not_checked)
    if not whys:
        return "<p>Everything in the scope was checked.</p>"
    return _table(
        ("what", "why", "how many"), [(what, why, str(count)) for (what, why), count in whys.items()]
    )


def _left_out(findings: Sequence[Finding]) -> str:
    more = len(findings) - _MOST
    return f"<p>{more} more findings are not in this page: use --json.</p>" if more > 0 else ""
