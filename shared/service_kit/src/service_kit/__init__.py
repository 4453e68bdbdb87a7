"""What every service does the same way.

A service's `main.py` has `create_app(settings)`, which makes its broker and app with :func:`make_broker` and
:func:`make_app`, and runs it::

    settings = load_settings(AuditWriterSettings)
    set_up_logs("audit_writer", settings)
    sys.exit(run(create_app(settings), settings))
"""

from service_kit.app import make_app
from service_kit.broker import make_broker
from service_kit.contract import Contract
from service_kit.errors import Unavailable, reason_of
from service_kit.health import Check, Progress
from service_kit.logs import set_up_logs
from service_kit.run import run
from service_kit.settings import EngineSettings, ServiceSettings, StreamSettings, load_settings
from service_kit.streams import permission_stream, provision
from service_kit.tracing import NO_TRACING, Tracing, make_tracing

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
