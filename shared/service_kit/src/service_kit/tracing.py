"""Traces of OpenTelemetry: from a ledger's close over the bus to the committed row.

An optional extra. Without an endpoint nothing of OpenTelemetry is imported, and no message carries a trace.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from service_kit.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from faststream._internal.types import BrokerMiddleware
    from nats.aio.msg import Msg


class Tracing:
    """What a service does about traces; this one does nothing."""

    middlewares: Sequence[BrokerMiddleware[Msg, Any]] = ()
    """For the broker."""

    def span(
        self,
        name: str,  # noqa: ARG002
        *,
        began: datetime | None = None,  # noqa: ARG002
        attributes: Mapping[str, str | int] | None = None,  # noqa: ARG002
    ) -> AbstractContextManager[None]:
        """Open a span, of a new trace where none is open; `began`: when, if not now."""
        return nullcontext()

    def continued(
        self,
        name: str,  # noqa: ARG002
        headers: Iterable[Mapping[str, str] | None],  # noqa: ARG002
    ) -> AbstractContextManager[None]:
        """Open a span in each of the traces that messages with these headers belong to."""
        return nullcontext()

    def close(self) -> None:
        """Send what was not sent yet."""


NO_TRACING = Tracing()


def make_tracing(service: str, endpoint: str | None) -> Tracing:
    """Return what sends a service's traces to an OTLP endpoint over HTTP; nothing is sent if that is None.

    Raises:
        Unavailable: OpenTelemetry is not installed.

    """
    if endpoint is None:
        return NO_TRACING
    try:
        from service_kit.otlp_tracing import OtlpTracing  # noqa: PLC0415 - an optional extra
    except ModuleNotFoundError as error:
        raise Unavailable(
            f"FILLPROOF_OTLP_ENDPOINT is set, and {error.name} is not installed: install the extra `otel`"
        ) from error
    return OtlpTracing(service, endpoint)
