"""The report as a person sees it: the position first, then what is wrong, the worst first, on one screen."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from console.compare.assets import code_of
from console.compare.books.book import Description
from console.compare.findings import MEANINGS, Finding
from console.compare.population import Group, Population
from console.compare.report import DIFFERS, NOT_CHECKED, Report
from offer_lifecycle import format_decimal

_WORST = 8
_GROUPS = 5
_DIGITS = 6
_SHORT = 8


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
    console.print(Text(report.verdict, style=style))
    compared, judged = report.comparison, report.judged
    scope, book = compared.scope, compared.book
    console.print(f"Book: {book.description.format}: {len(book.orders)} orders, {len(book.fills)} fills.")
    for covered in compared.reading.coverage:
        first = max(covered.first.ledger_index + 1, scope.first or 0)
        console.print(
            f"Ledger: {covered.source}, {covered.account}: ledgers {first} to {covered.last.ledger_index} "
            f"({covered.first.time:%Y-%m-%d %H:%M:%S} to {covered.last.time:%Y-%m-%d %H:%M:%S} UTC)."
        )
    pairs = ", ".join(f"{code_of(pair.base)}/{code_of(pair.quote)}" for pair in scope.pairs) or "all pairs"
    whole = (
        "it holds every order of them"
        if scope.complete
        else "what it does not hold is not asked (--complete)"
    )
    console.print(f"Scope: {pairs}; {whole}. {precision_text(report)}")
    console.print(
        f"{judged.agreeing_fills} fills agree, {judged.rounded_fills} of all are rounded; "
        f"{judged.other_words} orders are gone by another word for their end, "
        f"{judged.never_placed} never reached the ledger by both."
    )


def precision_text(report: Report) -> str:
    """Say what the book's columns can hold."""
    precision = report.comparison.book.precision
    quote = "" if precision.quote is None else f", quote {precision.quote:f}"
    floats = ", in floating point" if precision.floats else ""
    base = format_decimal(precision.base)
    return f"Its columns hold quantities to {base}, prices to {precision.price}{quote}{floats}."


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, collapse_padding=True)


def _show_position(report: Report, console: Console) -> None:
    table = _table("Position: book less ledger")
    table.add_column("asset")
    for heading in ("book", "ledger", "difference", "of it rounding"):
        table.add_column(heading, justify="right")
    for one in report.positions:
        style = "bold red" if one.explained else ""
        table.add_row(
            code_of(one.asset), amount(one.book), amount(one.ledger), Text(exact(one.error), style=style),
            exact(one.rounding),
        )  # fmt: skip
    console.print(table)


def _show_findings(findings: Sequence[Finding], console: Console) -> None:
    table = _table(f"Findings: {len(findings)}, the worst first")
    for heading in ("what", "order", "transaction"):
        table.add_column(heading)
    for heading in ("book less ledger", "worth", "bps away", "age"):
        table.add_column(heading, justify="right")
    table.add_column("ledger says")
    for one in findings[:_WORST]:
        moved = ", ".join(f"{signed(part.value)} {code_of(part.asset)}" for part in one.position)
        table.add_row(
            one.kind.replace("_", " "),
            str(one.sequence or one.book.order_id),
            (one.transaction or "")[:_SHORT],
            moved,
            f"{amount(one.worth)} {code_of(one.quote)}" if one.position else "",
            "" if one.distance_bps is None else format_decimal(one.distance_bps),
            "" if one.age_seconds is None else f"{one.age_seconds} s",
            one.cause or str(one.ledger.status or "no such order"),
        )
    console.print(table)
    counts = Counter(one.kind for one in findings)
    worth: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for one in findings:
        if one.position:
            worth[one.kind][code_of(one.quote)] += one.worth
    for kind, count in counts.most_common():
        console.print(f"  {count:4} {kind.replace('_', ' ')}: {MEANINGS[kind]}{_sums(worth[kind])}")


def _sums(worth: Mapping[str, Decimal]) -> str:
    return "; " + " + ".join(f"{amount(value)} {code}" for code, value in worth.items()) if worth else ""


def _show_population(known: Population, console: Console) -> None:
    if not known.ended:
        return
    console.print(
        f"Called filled and were not: {known.phantoms} of {known.ended} ended orders "
        f"({_share(known.phantoms, known.ended)})."
    )
    ways = (
        ("cause", known.by(lambda cell: cell.cause)),
        ("age", known.by(lambda cell: cell.age)),
        ("distance", known.by(lambda cell: cell.distance)),
        ("size in quote", known.by(lambda cell: cell.size)),
    )
    for name, groups in ways:
        console.print(f"  by {name}: {'; '.join(_group(group) for group in groups[:_GROUPS])}")


def _group(group: Group) -> str:
    return f"{group.name} {group.phantoms} of {group.ended}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def _show_policies(report: Report, console: Console) -> None:
    table = _table("What each policy would have booked for the orders that were gone")
    table.add_column("policy")
    for heading in ("gone", "wrong", "worth of the wrong", "error: booked less happened", "not placed"):
        table.add_column(heading, justify="right")
    for one in report.policies:
        table.add_row(
            one.name, str(one.decided), str(one.wrong), _sums(_codes(one.worth)).removeprefix("; "),
            ", ".join(f"{signed(value)} {code}" for code, value in _codes(one.error).items() if value),
            str(one.not_placed or ""),
        )  # fmt: skip
    console.print(table)


def _codes(amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {code_of(asset): value for asset, value in sorted(amounts.items()) if value}


def _show_rest(report: Report, console: Console) -> None:
    whys = Counter((one.what, one.why) for one in report.judged.not_checked)
    for (what, why), count in whys.most_common():
        console.print(Text(f"Not checked: {count} x {what}: {why}", style="yellow"))
    for note in notes(report):
        console.print(note)
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
    console.print(f"Format: {description.format}")
    table = _table("Columns")
    for heading in ("table", "column", "taken for", "unit"):
        table.add_column(heading)
    table.add_column("rows", justify="right")
    for column in description.columns:
        table.add_row(column.table, column.column, column.taken_for, column.unit, str(column.filled))
    console.print(table)
    for word, status in description.statuses.items():
        console.print(f"  status {word!r} is {status}")
    console.print(f"Times: {description.time_zone}.")
    for what in description.cannot_tell:
        console.print(f"  it can't tell {what}")
    console.print("As a mapping file:")
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
