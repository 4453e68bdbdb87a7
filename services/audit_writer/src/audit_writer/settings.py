"""Settings of the audit writer, from environment variables that begin with `FILLPROOF_`."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_kit import ServiceSettings
from service_kit.settings import PREFIX


def _postgres(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname:
        raise ValueError("expected postgresql://role:password@host:port/database")
    return url


PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres)]


class AuditWriterSettings(ServiceSettings):
    """Beside what every service needs: the database and the size of a batch."""

    database_url: PostgresUrl
    """postgresql://audit_writer:password@host:port/database"""
    batch_size: int = Field(default=1_000, ge=1, le=1_000)
    batch_seconds: float = Field(default=0.2, gt=0, le=5)
    """A batch is taken when it is full or when so many seconds have passed."""


class MaintenanceSettings(BaseSettings):
    """What the one-shot step needs that makes and drops the months of `order_event` and notes their limit."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    owner_database_url: PostgresUrl
    """postgresql://owner:password@host:port/database: the role that ran the migrations."""
    months_ahead: int = Field(default=2, ge=0, le=120)
    """For how many months after this one a partition is made."""
    retention_months: int | None = Field(default=None, ge=1)
    """How many whole months of events are kept before this one; by default all for ever."""
    database_limit_bytes: int = Field(default=20_000_000_000, ge=1)
    """What the database may take on disk: from four fifths of it on Grafana warns."""


class PreparationSettings(MaintenanceSettings):
    """Beside that: the passwords with which the roles of the services log in."""

    database_url: PostgresUrl
    """postgresql://audit_writer:password@host:port/database: the password that the audit writer uses."""
    grafana_reader_password: SecretStr
    metrics_reader_password: SecretStr | None = None
    """Of the role with which a PostgreSQL exporter logs in; without it there is none."""
