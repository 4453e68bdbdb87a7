"""The FastStream application of a service, with health, metrics and its contract over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faststream.asgi import AsgiFastStream, AsgiResponse, get
from faststream.asgi.response import JSONResponse
from prometheus_client import REGISTRY, CollectorRegistry, make_asgi_app

from service_kit.broker import SERIALIZER
from service_kit.contract_page import page_of
from service_kit.health import health_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from faststream.asgi.types import ASGIApp
    from faststream.nats import NatsBroker

    from service_kit.contract import Contract
    from service_kit.health import Check


def make_app(  # noqa: PLR0913 - what a service adds to what all have, all by keyword
    broker: NatsBroker,
    *,
    contract: Contract,
    checks: Mapping[str, Check],
    notes: Mapping[str, Check] | None = None,
    lifespan: Callable[..., AbstractAsyncContextManager[None]] | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> AsgiFastStream:
    """Return the app of a service.

    Args:
        broker: from :func:`service_kit.make_broker`, with the service's subscribers and publishers.
        contract: served at `/asyncapi` as a page and at `/asyncapi.json` as the document.
        checks: what must be well for the service to be ready, by name; `jetstream` is always among them.
        notes: what is told beside them, where there is something to tell, and makes nothing unready.
        lifespan: opens what the service needs before the broker starts and closes it after it has stopped;
            its parameters may be injected by `Context`.
        registry: the metrics to show at `/metrics`.

    """
    return AsgiFastStream(
        broker,
        asgi_routes=[
            *health_routes(broker, checks, notes or {}),
            ("/metrics", make_asgi_app(registry)),
            *_contract_routes(contract),
        ],
        lifespan=lifespan,
        logger=None,
        serializer=SERIALIZER,
        specification=contract,
    )


def _contract_routes(contract: Contract) -> list[tuple[str, ASGIApp]]:
    @get(include_in_schema=False)
    async def document(_scope: Any) -> AsgiResponse:  # noqa: ANN401 - an ASGI scope
        return JSONResponse(contract.to_specification().to_jsonable())

    @get(include_in_schema=False)
    async def page(_scope: Any) -> AsgiResponse:  # noqa: ANN401 - an ASGI scope
        text = page_of(contract.to_specification().to_jsonable())
        return AsgiResponse(text.encode(), 200, {"Content-Type": "text/html; charset=utf-8"})

    return [("/asyncapi.json", document), ("/asyncapi", page)]
