"""Hostile answers: a result of a server in which members are changed, missing, doubled or of another type."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import msgspec
from in_process_node import InProcessServer

from ledger_client import read_envelope, result_of
from replay_node.session import Session

HUGE = "1" + 400 * "0"
LEVELS = 300_000
RAW_VALUES = (
    b"1e999999",
    b"-1e999999",
    b"1e99999999999999999999",
    HUGE.encode(),
    b"1" + 5000 * b"0",
    b"NaN",
    b"-1",
    b"0.5",
    b"18446744073709551616",
    b"4294967296",
    b"[" * LEVELS + b"]" * LEVELS,
    b'{"a":' * LEVELS + b"1" + b"}" * LEVELS,
    b"[" * LEVELS,
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'""',
    b'"NaN"',
    b'"sNaN"',
    b'"Infinity"',
    b'"1e999999"',
    b'"-1"',
    b'"' + HUGE.encode() + b'"',
    b'"\\u0000"',
    b'"\\ud800"',
    b'"\xff\xfe"',
    b'"' + b"x" * 100_000 + b'"',
    b'{"currency":"USD"}',
    b'{"currency":"USD","issuer":"r","value":"1e999999"}',
)
"""What stands where something else should; some of it is no JSON at all."""

Place = tuple[Any, Any]
"""A container, and the key or index in it."""


def changed(result: dict[str, Any], chance: Random, *, changes: int = 1) -> bytes:
    """Return a result as written by a server that has changed some of its members."""
    copy = msgspec.json.decode(msgspec.json.encode(result))
    marks: dict[str, bytes] = {}
    for number in range(changes):
        _change(copy, chance, marks, f"@{number}@")
    written = msgspec.json.encode(copy)
    for mark, value in marks.items():
        written = written.replace(b'"' + mark.encode() + b'"', value)
    return written


def _change(result: dict[str, Any], chance: Random, marks: dict[str, bytes], mark: str) -> None:
    places = list(_places(result))
    container, key = chance.choice(places)
    kind = chance.random()
    if kind < 0.2:
        del container[key]
    elif kind < 0.3 and isinstance(container, dict):
        container[mark] = msgspec.Raw(b"1")
        marks[mark] = msgspec.json.encode(key)  # the member's name once more
    elif kind < 0.4 and isinstance(container[key], int):
        container[key] += chance.choice((-1, 1, 200, 2**31, 2**32))
    else:
        container[key] = mark
        marks[mark] = chance.choice(RAW_VALUES)


def _places(value: Any) -> Iterator[Place]:  # noqa: ANN401 - any JSON
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


class HostileServer(InProcessServer):
    """Changes its answers as often as it is told to, each by a chance of its own."""

    def __init__(self, session: Session, name: str, seed: int, *, share: float = 1.0) -> None:
        super().__init__(session, name)
        self.chance = Random(seed)  # noqa: S311 - no secret
        self.share = share
        self.changed = 0
        self.spares: Callable[[str], bool] = lambda _method: False

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        self.asked.append((method, params))
        result = self.answer(method, params)
        status = {"status": "error" if "error" in result else "success"}
        if self.spares(method) or self.chance.random() >= self.share:
            body = msgspec.json.encode({**result, **status})
        else:
            self.changed += 1
            body = changed({**result, **status}, self.chance, changes=self.chance.randint(1, 2))
        return result_of(self.name, method, read_envelope(self.name, b'{"result":' + body + b"}"))
