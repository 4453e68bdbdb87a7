"""The page of `fillproof compare --html`, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, WHY_NOT, Page, browser_page
from engine_books.comparing import compared
from engine_books.truth import recorded

from console.compare.example import EXAMPLE_OPTIONS, EXAMPLE_SESSIONS
from console.compare.page import render
from console.compare.report import Report, make_report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=WHY_NOT)
[SESSION] = EXAMPLE_SESSIONS


@pytest.fixture(scope="module")
def report() -> Report:
    comparison = compared(SESSION, EXAMPLE_OPTIONS.books)
    return make_report(comparison, recorded(SESSION).record, 3, lambda *_: None)


@pytest.fixture(scope="module")
def path(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(report), "utf-8")
    return path


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser_page(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_asks_nobody_and_complains_of_nothing(
    page: Page, path: Path, report: Report, width: int, scheme: str
) -> None:
    page.open(path, width=width, height=844, scheme=scheme)
    assert page.requested() == [path.as_uri()]
    assert page.complaints() == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.querySelectorAll('tr.row').length") == len(report.findings)
    back, text = (
        page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color")
    )
    assert contrast(back, text) > 7
    assert (luminance(back) < 0.2) is (scheme == "dark")


def test_a_row_opens_to_the_books_row_and_the_ledgers_transaction(
    page: Page, path: Path, report: Report
) -> None:
    page.open(path, width=1280, height=844, scheme="light")
    finding = report.findings[0]
    page.evaluate(f"document.getElementById('{finding.id}').click()")
    shown = page.evaluate("document.querySelector('tr.detail').innerText")
    assert finding.transaction in shown
    assert finding.book.rows[0][0] in shown
    assert finding.explain in shown
    page.evaluate(f"document.getElementById('{finding.id}').click()")
    assert page.evaluate("document.querySelector('tr.detail')") is None


def test_the_table_filters_by_kind_and_text_and_sorts_by_a_column(
    page: Page, path: Path, report: Report
) -> None:
    page.open(path, width=1280, height=844, scheme="light")
    kind = report.findings[-1].kind
    page.evaluate(f"kind.value = '{kind}'; kind.dispatchEvent(new Event('change'))")
    wanted = sum(one.kind is kind for one in report.findings)
    assert page.evaluate("document.querySelectorAll('tr.row').length") == wanted
    page.evaluate("kind.value = ''; search.value = 'no such thing'; search.dispatchEvent(new Event('input'))")
    assert page.evaluate("document.querySelectorAll('tr.row').length") == 0
    page.evaluate("search.value = ''; search.dispatchEvent(new Event('input'))")
    page.evaluate("document.querySelector('button[data-key=sequence]').click()")
    order = page.evaluate(
        "[...document.querySelectorAll('tr.row td:nth-child(2)')].map(one => one.innerText)"
    )
    assert order == [
        str(number) for number in sorted((one.sequence or 0 for one in report.findings), reverse=True)
    ]


def test_a_step_of_a_position_leads_to_its_finding(page: Page, path: Path) -> None:
    page.open(path, width=1280, height=844, scheme="light")
    href = page.evaluate("document.querySelector('figure a').getAttribute('href')")
    page.evaluate(
        "document.querySelector('figure circle').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    row = f"document.getElementById('{href.removeprefix('#')}')"
    assert page.evaluate(f"{row}.getAttribute('aria-expanded')") == "true"


def luminance(colour: str) -> float:
    parts = [float(part) / 255 for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first: str, second: str) -> float:
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)
