"""Four books with faults that an independent hand has put in: all are found, none is invented."""

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from engine_books.comparing import compared

from console.compare.comparison import Comparison
from console.compare.findings import Finding, Kind
from console.compare.position import position_errors

BOOKS = Path(__file__).parents[3] / "data" / "engines"
ANSWERS = sorted(BOOKS.glob("*.faults.json"))
KINDS = {
    "phantom_full_fill": Kind.PHANTOM_FILL,
    "missed_whole_fill": Kind.MISSED_FILL,
    "missed_partial_fill": Kind.MISSED_FILL,
    "double_booking": Kind.DOUBLE_BOOKING,
    "fill_on_wrong_order": Kind.FILL_ON_WRONG_ORDER,
    "canceled_that_was_filled": Kind.ENDED_OTHERWISE,
    "open_in_book_gone_on_ledger": Kind.OPEN_IN_BOOK_GONE_ON_LEDGER,
    "unknown_order": Kind.UNKNOWN_ORDER,
    "not_in_book": Kind.NOT_IN_BOOK,
    "fill_booked_late": Kind.FILL_BOOKED_LATE,
    "fill_booked_early": Kind.FILL_BOOKED_EARLY,
    "wrong_side": Kind.WRONG_SIDE,
    "wrong_account": Kind.WRONG_ACCOUNT,
}


def kind_of(fault: dict[str, Any]) -> Kind:
    if fault["kind"] == "amount_off":
        return Kind.AMOUNT_OFF if fault["field"] == "base" else Kind.PRICE_OFF
    return Kind.ENDED_OTHERWISE if fault["kind"].startswith("filled_that_was_") else KINDS[fault["kind"]]


@cache
def answers_to(path: Path) -> tuple[dict[str, Any], Comparison]:
    answers = json.loads(path.read_text())
    scope = answers["scope"]
    [session] = answers["book"]["sessions"]
    one_account = answers["book"]["format"] in {"hummingbot", "inhouse"}
    one_pair = answers["book"]["format"] == "inhouse"
    return answers, compared(
        session.removesuffix(".json.gz"),
        [BOOKS / name for name in answers["book"]["files"]],
        accounts=tuple(scope["accounts"]) if one_account else (),
        pairs=tuple(scope["pairs"]) if one_pair else (),
        first=scope["from_ledger"],
    )


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem.partition(".")[0])
def test_every_fault_is_found_as_what_it_is_and_none_is_invented(path: Path) -> None:
    answers, comparison = answers_to(path)
    faults = [fault for fault in answers["faults"] if fault["fault"]]
    assert len(faults) == answers["faults_total"] > 0
    found = sorted((one.account, one.sequence or 0, one.kind.value) for one in comparison.judged.findings)
    assert found == sorted((fault["account"], fault["sequence"], kind_of(fault).value) for fault in faults)


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem.partition(".")[0])
def test_the_position_error_of_each_pair_is_the_one_that_was_made(path: Path) -> None:
    answers, comparison = answers_to(path)
    errors = position_errors(comparison.judged)
    for pair, (base, quote) in errors.items():
        made = answers["inventory_error"][code_of_pair(str(pair))]
        # Hummingbot's prices are cut to six decimals: its own sum in quote is off by that
        assert abs(base - Decimal(made["base"])) <= Decimal("0.000001")
        assert abs(quote - Decimal(made["quote"])) <= Decimal("0.001")


def code_of_pair(pair: str) -> str:
    return "/".join(asset.partition(".")[0] for asset in pair.split("/"))


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem.partition(".")[0])
def test_each_finding_says_what_the_answer_says_of_its_order(path: Path) -> None:
    answers, comparison = answers_to(path)
    by_order: dict[tuple[str, int], Finding] = {
        (one.account, one.sequence or 0): one for one in comparison.judged.findings
    }
    for fault in answers["faults"]:
        if not fault["fault"] or fault["kind"] == "unknown_order":
            continue
        finding = by_order[fault["account"], fault["sequence"]]
        says = fault["ledger_says"]
        assert finding.placed_tx == fault["placed_tx"]
        assert finding.cause == says["reason"]
        assert finding.ledger.removed_by == says["removed_by"]
        assert finding.age_seconds == (None if says["age_s"] is None else int(says["age_s"]))
        moved = {one.asset.partition(".")[0]: one.value for one in finding.position}
        for asset, value in zip(fault["pair"].split("/"), fault["inventory_error"].values(), strict=True):
            assert abs(moved.get(asset, Decimal(0)) - Decimal(value)) <= Decimal("0.001")
