"""Health and metrics over HTTP: /health/live, /health/ready, /metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import nats.errors
from faststream.asgi import AsgiFastStream, AsgiResponse, get
from faststream.asgi.response import JSONResponse
from prometheus_client import REGISTRY, CollectorRegistry, make_asgi_app

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager

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


def make_app(
    broker: NatsBroker,
    *,
    checks: Mapping[str, Check],
    notes: Mapping[str, Check] | None = None,
    lifespan: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> AsgiFastStream:
    """Return the app of a service.

    Args:
        broker: from :func:`service_kit.make_broker`, with the service's subscribers.
        checks: what must be well for the service to be ready, by name; `jetstream` is always among them.
        notes: what is told beside them, where there is something to tell, and makes nothing unready.
        lifespan: opens what the service needs before the broker starts and closes it after it has stopped.
        registry: the metrics to show.

    """
    every = {"jetstream": _jetstream_check(broker), **checks}

    @get
    async def live(_scope: Any) -> AsgiResponse:  # noqa: ANN401 - an ASGI scope
        return JSONResponse({"live": True})

    @get
    async def ready(_scope: Any) -> AsgiResponse:  # noqa: ANN401 - an ASGI scope
        answers = await asyncio.gather(*(_ask(check) for check in every.values()))
        well = all(answer is None for answer in answers)
        told = {name: answer or "ok" for name, answer in zip(every, answers, strict=True)}
        aside = {name: text for name, note in (notes or {}).items() if (text := await _ask(note))}
        page = {"ready": well, "checks": told, **({"notes": aside} if aside else {})}
        return JSONResponse(page, 200 if well else 503)

    return AsgiFastStream(
        broker,
        asgi_routes=[
            ("/health/live", live),
            ("/health/ready", ready),
            ("/metrics", make_asgi_app(registry)),
        ],
        lifespan=lifespan,
        logger=None,
    )


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
