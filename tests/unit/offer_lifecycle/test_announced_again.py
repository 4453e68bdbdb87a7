"""Orders announced again: the latest deadline counts, and what was told too early is withdrawn."""

from decimal import Decimal

import pytest
from made_ledger import OWNER, USD, Raw, offer, root, state, step, submitted, tx, usd

from offer_lifecycle import AccountState, LedgerOutcome
from order_events import Amount, Correction, OrderCorrected, OrderDisappeared, OrderEvent, OrderStatus

GETS, PAYS = Amount(USD, Decimal(50)), Amount("XRP", Decimal(100_000_000))


def announced(
    name: str, deadline: int, *, to: AccountState | None = None, pays: Amount = PAYS
) -> AccountState:
    ledger = to or state()
    ledger.announce(
        submitted(
            20,
            GETS,
            pays,
            transaction_hash=name,
            last_ledger_sequence=deadline,
            validated_ledger_index=ledger.record.ledger_index,
        )
    )
    return ledger


def placed(name: str) -> Raw:
    nodes = [offer("CreatedNode", 20, usd("50"), "100000000"), root(49999988, before=50000000, owners=2)]
    fields = {"TakerGets": usd("50"), "TakerPays": "100000000"}
    return tx("OfferCreate", nodes, account=OWNER, sequence=20, name=name, **fields)


def told(*outcomes: LedgerOutcome) -> list[OrderEvent]:
    return [event for outcome in outcomes for event in outcome.events]


def up_to(ledger: AccountState, index: int) -> list[OrderEvent]:
    return told(*(step(ledger, n) for n in range(ledger.record.ledger_index + 1, index + 1)))


def kinds(events: list[OrderEvent]) -> list[str]:
    return [str(event.__struct_config__.tag) for event in events]


@pytest.mark.parametrize(
    "names", [("H1", "H2"), ("H2", "H1")], ids=["in order", "the earlier one came later"]
)
def test_an_order_announced_again_is_not_lost_before_its_latest_deadline(names: tuple[str, str]) -> None:
    deadlines = {"H1": 105, "H2": 115}
    ledger = state()
    for name in names:
        announced(name, deadlines[name], to=ledger)
    assert up_to(ledger, 114) == []
    [lost] = up_to(ledger, 116)
    assert (lost.status, lost.ledger_index) == (OrderStatus.LOST, 115)


def test_any_of_the_announced_hashes_is_the_engines_and_the_latest_amounts_count() -> None:
    ledger = announced("h1", 105)
    announced("H2", 115, to=ledger, pays=Amount("XRP", Decimal(90_000_000)))
    order = ledger.orders[20]
    assert order.pays.value == 90_000_000
    assert (order.submitted_hash, order.earlier_hashes) == ("H2", ("H1",))
    [accepted] = step(ledger, 101, placed("H1")).events
    assert accepted.external is False


def test_a_lost_order_that_is_announced_again_in_time_is_corrected_and_lives() -> None:
    ledger = announced("H1", 105)
    [lost] = up_to(ledger, 107)
    announced("H2", 115, to=ledger)
    [corrected] = up_to(ledger, 109)
    assert isinstance(corrected, OrderCorrected)
    assert (corrected.corrects, corrected.correction) == (lost.event_id, Correction.WITHDRAWN)
    assert (corrected.status, corrected.anomaly, corrected.resolution) == (OrderStatus.SUBMITTED, False, None)
    assert kinds(told(step(ledger, 110, placed("H2")))) == ["order.accepted"]


def test_an_order_lost_again_is_told_again_by_another_name() -> None:
    ledger = announced("H1", 102)
    first = up_to(ledger, 103)
    announced("H2", 110, to=ledger)
    second = up_to(ledger, 111)
    assert kinds(first + second) == ["order.disappeared", "order.corrected", "order.disappeared"]
    assert len({event.event_id for event in first + second}) == 3


def test_a_lost_order_that_shows_itself_is_corrected_before_anything_else_is_told_of_it() -> None:
    ledger = announced("H1", 105)
    [lost] = up_to(ledger, 106)
    assert isinstance(lost, OrderDisappeared)
    corrected, accepted = step(ledger, 107, placed("H2")).events
    assert isinstance(corrected, OrderCorrected)
    assert (corrected.corrects, corrected.correction) == (lost.event_id, Correction.WITHDRAWN)
    assert corrected.status is OrderStatus.ACCEPTED
    assert kinds([accepted]) == ["order.accepted"]


def test_a_lost_order_that_is_announced_again_too_late_stays_lost() -> None:
    ledger = announced("H1", 105)
    up_to(ledger, 107)
    announced("H1", 105, to=ledger)
    announced("H2", 107, to=ledger)
    assert up_to(ledger, 110) == []
    assert ledger.orders[20].status is OrderStatus.LOST


def test_an_order_whose_sequence_another_transaction_used_is_not_revived() -> None:
    ledger = announced("H1", 105)
    payment = tx("Payment", [root(49999988, before=50000000)], account=OWNER, sequence=20, name="P")
    [lost] = step(ledger, 101, payment).events
    assert lost.status is OrderStatus.LOST
    announced("H2", 115, to=ledger)
    assert up_to(ledger, 103) == []


def test_the_same_announcement_delivered_twice_changes_nothing() -> None:
    ledger = announced("H1", 105)
    before = ledger.orders[20]
    announced("H1", 105, to=ledger)
    assert ledger.orders[20] == before
