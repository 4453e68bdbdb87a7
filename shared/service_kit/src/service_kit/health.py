"""Health over HTTP: /health/live, /health/ready."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import nats.errors
from faststream.asgi import AsgiResponse, get
from faststream.asgi.response import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faststream.asgi.types import ASGIApp
    from faststream.nats import NatsBroker

CHECK_SECONDS = 2.0

Check = Callable[[], Awaitable[str | None]]
"""Answers None when all is well, else what is wrong."""


class Progress:
    """Whether a loop still turns."""

    def __init__(self, *, silence: float) -> None:
        """`silence`: seconds without :meth:`advance` after which the loop counts as stuck."""
        self._silence = silence
        self._advanced = time.monotonic()

    def advance(self) -> None:
        """Say that the loop has turned."""
        self._advanced = time.monotonic()

    async def check(self) -> str | None:
        """Be a :data:`Check`."""
        elapsed = time.monotonic() - self._advanced
        return None if elapsed <= self._silence else f"no progress for {elapsed:.0f} s"


def health_routes(
    broker: NatsBroker, checks: Mapping[str, Check], notes: Mapping[str, Check]
) -> list[tuple[str, ASGIApp]]:
    """Return the routes `/health/live` and `/health/ready` (see :func:`service_kit.make_app`)."""
    every = {"jetstream": _jetstream_check(broker), **checks}

    @get(include_in_schema=False)
    async def live(_scope: Any) -> AsgiResponse:  # noqa: ANN401 - an ASGI scope
        return JSONResponse({"live": True})

    @get(include_in_schema=False)
    async def ready(_scope: Any) -> AsgiResponse:  # noqa: ANN401 - an ASGI scope
        answers = await asyncio.gather(*(_ask(check) for check in every.values()))
        well = all(answer is None for answer in answers)
        told = {name: answer or "ok" for name, answer in zip(every, answers, strict=True)}
        aside = {name: text for name, note in notes.items() if (text := await _ask(note))}
        page = {"ready": well, "checks": told, **({"notes": aside} if aside else {})}
        return JSONResponse(page, 200 if well else 503)

    return [("/health/live", live), ("/health/ready", ready)]


def _jetstream_check(broker: NatsBroker) -> Check:
    async def check() -> str | None:
        if not broker.running:
            return "the broker has not started"
        if not broker.connection.is_connected:
            return "not connected"
        try:
            await broker.connection.jetstream().account_info()
        except nats.errors.Error as error:
            return repr(error)
        return None

    return check


async def _ask(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
    except Exception as error:  # noqa: BLE001 - whatever a check raises is its answer
        return repr(error)
