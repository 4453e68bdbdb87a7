"""The report as a person sees it: the position first, then what is wrong, the worst first, on one screen."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from console.compare.assets import code_of
from console.compare.books.book import Description
from console.compare.findings import MEANINGS, Finding
from console.compare.population import Group, Population
from console.compare.report import DIFFERS, NOT_CHECKED, Report
from console.fitted_tables import Cell, Column, print_table
from console.fitting import print_sentence
from offer_lifecycle import format_decimal

_WORST = 8
_GROUPS = 5
_DIGITS = 6
_SHORT = 8


_POSITION = (
    Column("asset"),
    Column("book", "right", drop=2),
    Column("ledger", "right", drop=1),
    Column("difference", "right"),
    Column("of it rounding", "right", drop=3),
)
_FINDINGS = (
    Column("what", wraps=True),
    Column("order", "right"),
    Column("transaction", drop=3),
    Column("book less ledger", "right"),
    Column("worth", "right", drop=1),
    Column("bps away", "right", drop=5),
    Column("age", "right", drop=4),
    Column("ledger says", drop=2, wraps=True),
)
_POLICIES = (
    Column("policy"),
    Column("gone", "right", drop=1),
    Column("wrong", "right"),
    Column("worth of the wrong", "right", drop=2, wraps=True),
    Column("error: booked less happened", "right"),
    Column("not placed", "right", drop=3),
)
_COLUMNS = (
    Column("table", drop=2),
    Column("column"),
    Column("taken for", wraps=True),
    Column("unit", wraps=True, drop=1),
    Column("rows", "right", drop=3),
)


def show(report: Report, console: Console) -> None:
    """Print the report."""
    _show_verdict(report, console)
    _show_position(report, console)
    if report.findings:
        _show_findings(report.findings, console)
    _show_population(report.population, console)
    _show_policies(report, console)
    _show_rest(report, console)


def _show_verdict(report: Report, console: Console) -> None:
    style = {DIFFERS: "bold red", NOT_CHECKED: "bold yellow"}.get(report.status, "bold green")
    print_sentence(console, report.verdict, style)
    compared, judged = report.comparison, report.judged
    scope, book = compared.scope, compared.book
    print_sentence(
        console, f"Book: {book.description.format}: {len(book.orders)} orders, {len(book.fills)} fills."
    )
    for covered in compared.reading.coverage:
        first = max(covered.first.ledger_index + 1, scope.first or 0)
        print_sentence(
            console,
            f"Ledger: {covered.source}, {covered.account}: ledgers {first} to {covered.last.ledger_index} "
            f"({covered.first.time:%Y-%m-%d %H:%M:%S} to {covered.last.time:%Y-%m-%d %H:%M:%S} UTC).",
        )
    pairs = ", ".join(f"{code_of(pair.base)}/{code_of(pair.quote)}" for pair in scope.pairs) or "all pairs"
    whole = (
        "it holds every order of them"
        if scope.complete
        else "what it does not hold is not asked (--complete)"
    )
    print_sentence(console, f"Scope: {pairs}; {whole}. {precision_text(report)}")
    print_sentence(
        console,
        f"{judged.agreeing_fills} fills agree, {judged.rounded_fills} of all are rounded; "
        f"{judged.other_words} orders are gone by another word for their end, "
        f"{judged.never_placed} never reached the ledger by both.",
    )


def precision_text(report: Report) -> str:
    """Say what the book's columns can hold."""
    precision = report.comparison.book.precision
    quote = "" if precision.quote is None else f", quote {precision.quote:f}"
    floats = ", in floating point" if precision.floats else ""
    base = format_decimal(precision.base)
    return f"Its columns hold quantities to {base}, prices to {precision.price}{quote}{floats}."


def _show_position(report: Report, console: Console) -> None:
    rows: list[list[Cell]] = [
        [
            code_of(one.asset), amount(one.book), amount(one.ledger),
            Text(exact(one.error), style="bold red" if one.explained else ""), exact(one.rounding),
        ]
        for one in report.positions
    ]  # fmt: skip
    print_table(console, "Position: book less ledger", _POSITION, rows)


def _show_findings(findings: Sequence[Finding], console: Console) -> None:
    rows = [_finding(one) for one in findings[:_WORST]]
    print_table(console, f"Findings: {len(findings)}, the worst first", _FINDINGS, rows)
    counts = Counter(one.kind for one in findings)
    worth: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for one in findings:
        if one.position:
            worth[one.kind][code_of(one.quote)] += one.worth
    for kind, count in counts.most_common():
        print_sentence(console, f"  {count:4} {kind.replace('_', ' ')}: {MEANINGS[kind]}{_sums(worth[kind])}")


def _finding(one: Finding) -> list[str]:
    moved = "\n".join(f"{signed(part.value)} {code_of(part.asset)}" for part in one.position)
    return [
        one.kind.replace("_", " "),
        str(one.sequence or one.book.order_id),
        (one.transaction or "")[:_SHORT],
        moved,
        f"{amount(one.worth)} {code_of(one.quote)}" if one.position else "",
        "" if one.distance_bps is None else format_decimal(one.distance_bps),
        "" if one.age_seconds is None else f"{one.age_seconds} s",
        one.cause or str(one.ledger.status or "no such order"),
    ]


def _sums(worth: Mapping[str, Decimal]) -> str:
    return "; " + " + ".join(f"{amount(value)} {code}" for code, value in worth.items()) if worth else ""


def _show_population(known: Population, console: Console) -> None:
    if not known.ended:
        return
    print_sentence(
        console,
        f"Called filled and were not: {known.phantoms} of {known.ended} ended orders "
        f"({_share(known.phantoms, known.ended)}).",
    )
    ways = (
        ("cause", known.by(lambda cell: cell.cause)),
        ("age", known.by(lambda cell: cell.age)),
        ("distance", known.by(lambda cell: cell.distance)),
        ("size in quote", known.by(lambda cell: cell.size)),
    )
    for name, groups in ways:
        print_sentence(console, f"  by {name}: {'; '.join(_group(group) for group in groups[:_GROUPS])}")


def _group(group: Group) -> str:
    return f"{group.name} {group.phantoms} of {group.ended}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def _show_policies(report: Report, console: Console) -> None:
    rows = [
        [
            one.name, str(one.decided), str(one.wrong), _sums(_codes(one.worth)).removeprefix("; "),
            "\n".join(f"{signed(value)} {code}" for code, value in _codes(one.error).items() if value),
            str(one.not_placed or ""),
        ]
        for one in report.policies
    ]  # fmt: skip
    print_table(console, "What each policy would have booked for the orders that were gone", _POLICIES, rows)


def _codes(amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {code_of(asset): value for asset, value in sorted(amounts.items()) if value}


def _show_rest(report: Report, console: Console) -> None:
    whys = Counter((one.what, one.why) for one in report.judged.not_checked)
    for (what, why), count in whys.most_common():
        print_sentence(console, f"Not checked: {count} x {what}: {why}", "yellow")
    for note in notes(report):
        print_sentence(console, note)
    command = next((one.explain for one in report.findings if one.explain is not None), None)
    if command is not None:
        console.print(f"Why: {command}", soft_wrap=True)


def notes(report: Report) -> Iterable[str]:
    """Say what a reader has to know beside the verdict."""
    compared = report.comparison
    for code, asset in compared.inferred_issuers.items():
        yield f"{code} in the book is taken for {asset}, the only one that its accounts traded."
    absent = len(report.judged.absent)
    if absent and not compared.scope.complete:
        yield (
            f"{absent} orders of the scope are on the ledger and not in the book: with --complete they are "
            "findings."
        )
    yield from compared.reading.notes


def describe(description: Description, console: Console) -> None:
    """Print what was recognised in a book, and what it can't tell."""
    print_sentence(console, f"Format: {description.format}")
    rows = [
        [column.table, column.column, column.taken_for, column.unit, str(column.filled)]
        for column in description.columns
    ]
    print_table(console, "Columns", _COLUMNS, rows)
    for word, status in description.statuses.items():
        print_sentence(console, f"  status {word!r} is {status}")
    print_sentence(console, f"Times: {description.time_zone}.")
    for what in description.cannot_tell:
        print_sentence(console, f"  it can't tell {what}")
    print_sentence(console, "As a mapping file:")
    console.print(description.mapping, soft_wrap=True)


def amount(value: Decimal) -> str:
    """Write an amount to six decimals."""
    return format_decimal(round(value, _DIGITS))


def exact(value: Decimal) -> str:
    """Write an amount with all its digits, up to eighteen decimals."""
    return format_decimal(round(value, 18))


def signed(value: Decimal) -> str:
    """Write an amount with its sign."""
    return f"+{amount(value)}" if value > 0 else amount(value)
