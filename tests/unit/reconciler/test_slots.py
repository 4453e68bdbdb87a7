"""Slots for checks that are not urgent."""

from reconciler.safety.slots import CheckSlots


def test_each_ledger_has_so_many_slots_and_no_more() -> None:
    slots = CheckSlots(a_ledger=2, saved_up=2)
    assert [slots.reserve(name, 7) for name in "abcd"] == [True, True, False, False]
    assert [slots.reserve(name, 8) for name in "cde"] == [True, True, False]


def test_an_account_that_is_behind_shares_the_newest_ledger_s_slots() -> None:
    slots = CheckSlots(a_ledger=2, saved_up=2)
    assert slots.reserve("a", 8)
    assert [slots.reserve(name, 7) for name in "bc"] == [True, False]
    assert not slots.reserve("d", 8)


def test_who_waits_longest_comes_first_however_early_others_ask() -> None:
    slots = CheckSlots(a_ledger=1, saved_up=1)
    assert [slots.reserve(name, 7) for name in "abc"] == [True, False, False]
    assert [slots.reserve(name, 8) for name in "abc"] == [False, True, False]
    assert [slots.reserve(name, 9) for name in "abc"] == [False, False, True]
    assert [slots.reserve(name, 10) for name in "abc"] == [True, False, False]


def test_who_asks_no_more_keeps_no_slot_from_others() -> None:
    slots = CheckSlots(a_ledger=1, saved_up=1)
    assert [slots.reserve(name, 7) for name in "ab"] == [True, False]
    assert not slots.reserve("c", 8)
    assert slots.reserve("c", 60)


def test_unused_slots_are_saved_up_for_accounts_that_start_together() -> None:
    slots = CheckSlots(a_ledger=1, saved_up=3)
    assert [slots.reserve(name, 7) for name in "abcd"] == [True, True, True, False]
    assert [slots.reserve(name, 9) for name in "def"] == [True, True, False]
