"""Slots for checks that are not urgent."""

from reconciler.safety.slots import CheckSlots


def test_each_ledger_has_so_many_slots_and_no_more() -> None:
    slots = CheckSlots(most=2)
    assert [slots.reserve(7) for _ in range(4)] == [True, True, False, False]
    assert [slots.reserve(8) for _ in range(3)] == [True, True, False]


def test_an_account_that_is_behind_shares_the_newest_ledger_s_slots() -> None:
    slots = CheckSlots(most=2)
    assert slots.reserve(8)
    assert [slots.reserve(7) for _ in range(2)] == [True, False]
    assert not slots.reserve(8)
