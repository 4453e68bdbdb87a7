"""What every service does the same way.

A service's `main.py` has `create_app(settings)`, which makes its broker and app with :func:`make_broker` and
:func:`make_app`, and runs it::

    settings = load_settings(AuditWriterSettings)
    set_up_logs("audit_writer", settings)
    sys.exit(run(create_app(settings), settings))
"""

import importlib
from typing import TYPE_CHECKING

from service_kit.errors import Unavailable, reason_of
from service_kit.logs import set_up_logs
from service_kit.settings import EngineSettings, ServiceSettings, StreamSettings, load_settings
from service_kit.streams import permission_stream, provision
from service_kit.tracing import NO_TRACING, Tracing, make_tracing

if TYPE_CHECKING:
    from service_kit.app import make_app
    from service_kit.broker import make_broker
    from service_kit.contract import Contract
    from service_kit.health import Check, Progress
    from service_kit.serving import run

__all__ = [
    "NO_TRACING",
    "Check",
    "Contract",
    "EngineSettings",
    "Progress",
    "ServiceSettings",
    "StreamSettings",
    "Tracing",
    "Unavailable",
    "load_settings",
    "make_app",
    "make_broker",
    "make_tracing",
    "permission_stream",
    "provision",
    "reason_of",
    "run",
    "set_up_logs",
]

_OF_A_SERVICE = {
    "Check": "service_kit.health",
    "Contract": "service_kit.contract",
    "Progress": "service_kit.health",
    "make_app": "service_kit.app",
    "make_broker": "service_kit.broker",
    "run": "service_kit.serving",
}
"""Names whose modules import FastStream, half of a start's time: commands and one-shot steps need none."""


def __getattr__(name: str) -> object:
    """Import the module of a service's name with its first use."""
    if name not in _OF_A_SERVICE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_OF_A_SERVICE[name]), name)
