"""The settings classes of everything that a deployment runs."""

from pydantic_settings import BaseSettings

from audit_writer.settings import AuditWriterSettings, PreparationSettings
from reconciler.settings import ReconcilerSettings
from service_kit import EngineSettings, StreamSettings
from service_kit.bus_access import BusAccess
from service_kit.database_access import DatabaseAccess

CLASSES: list[type[BaseSettings]] = [
    ReconcilerSettings,
    AuditWriterSettings,
    PreparationSettings,
    StreamSettings,
    EngineSettings,
    BusAccess,
    DatabaseAccess,
]


def variable(name: str) -> str:
    """Return the environment variable of a field."""
    return f"FILLPROOF_{name}".upper()
