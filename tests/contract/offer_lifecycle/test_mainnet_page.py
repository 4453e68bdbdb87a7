"""The figures of docs/mainnet.md are those of the collection."""

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import mainnet

from offer_lifecycle import XRP, balance_changes, format_decimal, pool_accounts, units
from order_events import RemovalReason

pytestmark = mainnet.needed

PAGE = Path(__file__).parents[3] / "docs" / "mainnet.md"
Row = tuple[str, ...]


@lru_cache(maxsize=1)
def tables() -> dict[str, list[Row]]:
    """Return the page's tables, by the first cell of their heads."""
    found = {}
    for table in re.findall(r"(?:^\|.*\n)+", PAGE.read_text(), re.MULTILINE):
        head, _, *rows = (
            tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table.splitlines()
        )
        found[head[0]] = rows
    return found


def counted(names: Iterable[Row]) -> list[Row]:
    """Count the names and write them as the page does."""
    return sorted((*name, f"{count:,}") for name, count in Counter(names).items())


def test_the_table_by_cause() -> None:
    judged = Counter((label, verdict.reason) for label, verdict in mainnet.verdicts().values())
    assert sorted(tables()["reference label"]) == sorted(
        (label, f"{count:,}", reason, "agrees" if mainnet.EXPECTED[label] is reason else "differs")
        for (label, reason), count in judged.items()
    )
    assert f"{judged.total():,} deleted offers, all of them judged." in PAGE.read_text()


def test_each_difference_has_its_reason() -> None:
    assert {(transaction, offer) for transaction, offer, why in tables()["transaction"] if why} == set(
        mainnet.DIFFERENT
    )


def test_what_is_asked_of_the_ledger_before() -> None:
    asked = [
        ("; ".join(request.why for request in verdict.questions) or "nothing",)
        for _, verdict in mainnet.verdicts().values()
        if verdict.reason is RemovalReason.UNEXPLAINED
    ]
    assert sorted(tables()["asked of the ledger before"]) == counted(asked)
    assert f"The {len(asked)} that stay UNEXPLAINED" in PAGE.read_text()


def test_what_became_of_the_orders_themselves() -> None:
    ends = [(str(placement.status), str(placement.reason or "-")) for _, placement in mainnet.placements()]
    assert sorted(tables()["status"]) == counted(ends)
    assert f"{len(ends):,} OfferCreates." in PAGE.read_text()


def test_whom_the_orders_traded_with() -> None:
    traded = [one for one, placement in mainnet.placements() if placement.traded]
    assert sorted(tables()["traded with"]) == counted((traded_with(one),) for one in traded)


def traded_with(one: mainnet.Recorded) -> str:
    found = pool_accounts(one.tx)
    if not found:
        return "offers"
    if any(change.consumed for change in one.changes):
        return "offers and a pool"
    xrp = any(balance.asset == XRP for pool in found for balance in balance_changes(one.tx, pool))
    return "a pool with XRP alone" if xrp else "a pool of two tokens alone"


def test_how_the_chains_were_followed() -> None:
    links = list(mainnet.links())
    accounts = {
        account
        for one in mainnet.in_order()
        for account in (one.tx.account, *(change.account for change in one.changes))
    }
    begun = [
        life
        for life in mainnet.lifecycles()
        if life["events"][0]["kind"] == "CreatedNode" and life["chain_unbroken"]
    ]
    counts = (
        len(mainnet.by_entry()),
        len(accounts),
        len(links),
        sum(link.gap is None for link in links),
        sum(link.gap is not None for link in links),
        len(begun),
    )
    assert [count for _, count in tables()["what"]] == [f"{count:,}" for count in counts]


def test_the_broken_chains() -> None:
    broken = [(link.gap, link.lost) for link in mainnet.links() if link.gap is not None]
    assert sorted(tables()["offer"]) == sorted(
        (
            gap.entry[:8],
            gap.account,
            str(gap.sequence),
            str(gap.after),
            str(gap.before),
            gap.missing,
            f"{format_decimal(units(lost))} {lost.asset.partition('.')[0]}",
        )
        for gap, lost in broken
    )


def test_the_shapes_as_collected() -> None:
    shapes = [(one.raw["api_shape"],) for one in mainnet.recorded().values()]
    assert sorted(tables()["as collected"]) == counted(shapes)


def test_the_showcase() -> None:
    shown = [(case["case"], case["hash"][:8]) for case in mainnet.showcase()]
    assert [row[:2] for row in tables()["case"]] == shown
    assert all(row[2] for row in tables()["case"])
