"""Random transactions of known parts: every fill has its counterpart; what is unknown never makes one."""

from decimal import Decimal

import made_ledger as made
from hypothesis import given
from hypothesis import strategies as st
from made_ledger import MPT, OWNER, STRANGER, line, mpt, mptoken, offer, root, state, step, tx, usd

from offer_lifecycle import LedgerOutcome
from order_events import LiquiditySide, OrderFilled, OrderStatus

BEFORE = 50_000_000
ASSETS = ("XRP", "USD", "MPT")
FEE = 12

Units = dict[str, int]


def written(asset: str, units: int) -> object:
    """Write so many drops, tokens or MPT units."""
    match asset:
        case "XRP":
            return str(units)
        case "USD":
            return usd(str(units))
    return mpt(str(units))


def moved(asset: str, units: int) -> list[made.Raw]:
    """Return the owner's balance of an asset, changed by so much, where it is not XRP."""
    match asset:
        case "USD":
            return [line(str(100_000 + units), "100000")]
        case "MPT":
            after = 100_000 + units
            return [mptoken(str(after) if after else None, "100000")]
    return []


@st.composite
def trades(draw: st.DrawFn) -> tuple[str, str, list[tuple[int, int]], Units, bool]:
    """Draw (gives, asks, the others' fills, what the owner's balances show beyond them, who paid the fee)."""
    gives, asks = draw(st.sampled_from([(a, b) for a in ASSETS for b in ASSETS if a != b]))
    sizes = st.integers(0, 5_000)
    fills = draw(st.lists(st.tuples(sizes, sizes), max_size=4))
    off = {asset: draw(st.sampled_from([0, 0, 0, 1, -1, 700])) for asset in {gives, asks}}
    return gives, asks, fills, off, draw(st.booleans())


def folded(
    case: tuple[str, str, list[tuple[int, int]], Units, bool], kind: str, extra: list[made.Raw]
) -> LedgerOutcome:
    gives, asks, fills, off, sponsored = case
    gave, got = (sum(side) for side in zip(*fills, strict=True)) if fills else (0, 0)
    change = {gives: -gave + off[gives], asks: got + off[asks]}
    drops = BEFORE - (0 if sponsored else FEE) + change.get("XRP", 0)
    nodes = [root(drops, before=BEFORE)] if drops != BEFORE else [root(BEFORE)]
    nodes += [node for asset, units in change.items() for node in moved(asset, units)]
    nodes += [met_in_part(gives, asks, fill, place) for place, fill in enumerate(fills, start=1)]
    fields: made.Raw = {"TakerGets": written(gives, 90_000), "TakerPays": written(asks, 90_000)}
    if sponsored:
        nodes.append(root(100 - FEE, before=100, account="rSponsor"))
        fields |= {"Sponsor": "rSponsor", "SponsorFlags": 1}
    return step(
        state(usd_balance="100000"), 101, tx(kind, [*nodes, *extra], account=OWNER, sequence=9, **fields)
    )


def met_in_part(gives: str, asks: str, fill: tuple[int, int], sequence: int) -> made.Raw:
    gave, got = fill
    before = {"TakerGets": written(asks, got + 10), "TakerPays": written(gives, gave + 10)}
    return offer(
        "ModifiedNode", sequence, written(asks, 10), written(gives, 10), before=before, owner=STRANGER
    )


def told(outcome: LedgerOutcome) -> list[tuple[Decimal, Decimal]]:
    return [
        (event.gave.value, event.got.value)
        for event in outcome.events
        if isinstance(event, OrderFilled) and event.liquidity_side is LiquiditySide.TAKER
    ]


@given(trades())
def test_every_told_fill_is_what_the_others_gave_and_got(
    case: tuple[str, str, list[tuple[int, int]], Units, bool],
) -> None:
    outcome = folded(case, "OfferCreate", [])
    _, _, fills, _, _ = case
    gave, got = sum(fill[0] for fill in fills), sum(fill[1] for fill in fills)
    for fill in told(outcome):
        assert fill == (gave, got)
        assert gave > 0
        assert got > 0


@given(trades())
def test_what_is_not_told_as_a_fill_is_unresolved_or_nothing_traded(
    case: tuple[str, str, list[tuple[int, int]], Units, bool],
) -> None:
    outcome = folded(case, "OfferCreate", [])
    gives, _, fills, off, _ = case
    nothing = not any(any(fill) for fill in fills)
    order = outcome.changed[9]
    if told(outcome):
        assert not nothing
    elif outcome.unresolved:
        assert order.status is OrderStatus.REMOVED
    else:
        assert nothing
        assert order.status is OrderStatus.REJECTED
        # What a balance lost beyond the fills can be a transfer fee only where something was given
        assert all(change == 0 for change in off.values()), (gives, off)


@given(trades(), st.sampled_from(["SwapAll", "OfferAuction", "PoolTrade"]))
def test_an_unknown_type_never_makes_a_fill(
    case: tuple[str, str, list[tuple[int, int]], Units, bool], kind: str
) -> None:
    own = offer(
        "ModifiedNode",
        7,
        written(case[0], 10),
        written(case[1], 10),
        before={"TakerGets": written(case[0], 20), "TakerPays": written(case[1], 20)},
    )
    outcome = folded(case, kind, [own])
    assert not [event for event in outcome.events if isinstance(event, OrderFilled)]
    assert outcome.unresolved


@given(trades(), st.sampled_from(["OrderPool", "Escrow2", "Margin"]))
def test_an_unknown_entry_of_the_owners_never_makes_a_fill(
    case: tuple[str, str, list[tuple[int, int]], Units, bool], entry_type: str
) -> None:
    unknown = {
        "LedgerEntryType": entry_type,
        "LedgerIndex": "X",
        "FinalFields": {"Owner": OWNER, "Held": MPT},
    }
    outcome = folded(case, "OfferCreate", [{"ModifiedNode": unknown}])
    assert told(outcome) == []
    assert any(entry_type in reason for reason in outcome.unresolved)
