"""Turns with what is not urgent."""

from reconciler.safety.slots import Turns


def test_so_many_a_ledger_and_no_more() -> None:
    turns = Turns(most=2)
    assert [turns.take(7) for _ in range(4)] == [True, True, False, False]
    assert [turns.take(8) for _ in range(3)] == [True, True, False]


def test_who_is_behind_shares_the_newest_ledger_s() -> None:
    turns = Turns(most=2)
    assert turns.take(8)
    assert [turns.take(7) for _ in range(2)] == [True, False]
    assert not turns.take(8)
