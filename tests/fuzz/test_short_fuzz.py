"""The short form of `make fuzz`: the same code, a few hundred inputs."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from fuzz.announcements import fuzz_announcements
from fuzz.answers import fuzz_answers
from fuzz.messages import fuzz_messages
from structlog.testing import capture_logs

if TYPE_CHECKING:
    from conftest import Dsn

pytestmark = pytest.mark.stack

SEED = 7


def chance(part: str) -> Random:
    return Random(f"{SEED} {part}")  # noqa: S311 - draws inputs, no secret


async def test_answers_of_every_kind_are_refused_by_name() -> None:
    with capture_logs():
        found = await fuzz_answers(chance("answers"), 150)
    assert found.problems == []
    assert found.refused > 20


async def test_messages_of_every_kind_are_stored_or_dead_letters(postgres_dsn: Dsn) -> None:
    with capture_logs():
        found = await fuzz_messages(postgres_dsn, chance("messages"), 150)
    assert found.problems == []
    assert 20 < found.refused < 150


async def test_announcements_of_every_kind_are_counted_and_harm_no_neighbour(
    provisioned_nats_url: str,
) -> None:
    with capture_logs():
        found = await fuzz_announcements(provisioned_nats_url, chance("announcements"), 300)
    assert found.problems == []
    assert 50 < found.refused < 300
