"""What every service does the same way.

A service's `main.py` reads its settings, sets up logs, makes its broker and app, and runs them::

    settings = load_settings(AuditSettings)
    set_up_logs("audit_writer", settings)
    broker = make_broker(settings.nats_url)
    app = make_app(broker, checks={"database": database_answers}, lifespan=open_pool)
    sys.exit(run(app, broker, settings))
"""

from service_kit.broker import make_broker
from service_kit.errors import Unavailable
from service_kit.health import Check, Progress, make_app
from service_kit.logs import set_up_logs
from service_kit.run import run
from service_kit.settings import ServiceSettings, StreamSettings, load_settings
from service_kit.streams import provision

__all__ = [
    "Check",
    "Progress",
    "ServiceSettings",
    "StreamSettings",
    "Unavailable",
    "load_settings",
    "make_app",
    "make_broker",
    "provision",
    "run",
    "set_up_logs",
]
