"""The short form of `make chaos`: the same code, one session, half of the faults."""

from random import Random

import pytest
from chaos.itinerary import short
from chaos.voyage import sail, undisturbed

pytestmark = pytest.mark.stack

SEED = 4


def test_whatever_is_killed_on_the_way_the_facts_are_those_of_a_run_in_which_nothing_was() -> None:
    chance = Random(SEED)  # noqa: S311 - draws faults, no secret
    voyage = short(chance)
    log = sail(voyage, chance, undisturbed(voyage.sessions))
    assert {blow.fault for blow in log.struck} == set(voyage.times)
    assert log.found == []
