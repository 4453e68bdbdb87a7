"""Settings of the audit writer, from environment variables that begin with `FILLPROOF_`."""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from audit_log import read_signing_key, read_verifier_key
from service_kit import ServiceSettings
from service_kit.settings import PREFIX


def _postgres(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname:
        raise ValueError("expected postgresql://role:password@host:port/database")
    return url


def _signing_key(written: SecretStr) -> SecretStr:
    read_signing_key(written.get_secret_value())
    return written


def _webhook(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected https://host/path")
    return url


def _verifier_keys(written: str) -> str:
    for key in written.split():
        read_verifier_key(key)
    return written


PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres)]
WebhookUrl = Annotated[SecretStr, AfterValidator(_webhook)]
VerifierKeysText = Annotated[str, AfterValidator(_verifier_keys)]
SigningKeyText = Annotated[SecretStr, AfterValidator(_signing_key)]
"""An Ed25519 key as deploy/secrets.sh makes it; what is wrong with it is said without it."""


class AuditWriterSettings(ServiceSettings):
    """Beside what every service needs: the database and the size of a batch."""

    database_url: PostgresUrl
    """postgresql://audit_writer:password@host:port/database"""
    database_pooled: bool = False
    """A pooler such as PgBouncer gives each transaction another session of the database."""
    batch_size: int = Field(default=1_000, ge=1, le=1_000)
    batch_seconds: float = Field(default=0.2, gt=0, le=5)
    """A batch is taken when it is full or when so many seconds have passed."""
    checkpoint_signing_key: SigningKeyText | None = None
    """PRIVATE+KEY+...: signs checkpoints of the chain; without it there are none."""
    checkpoint_seconds: float = Field(default=60.0, ge=1, le=3_600)
    """So often a checkpoint is signed where something is new."""
    verifier_keys: VerifierKeysText = ""
    """Earlier keys of the log and those of operators, NAME+HASH+KEY, separated by space."""
    checkpoint_directory: Path | None = None
    """A copy of each checkpoint is kept there, one file each."""
    checkpoint_webhook: WebhookUrl | None = None
    """A copy of each checkpoint is sent there by POST, as https://host/path."""


class MaintenanceSettings(BaseSettings):
    """What the one-shot step needs that makes and drops the months of `order_event` and notes their limit."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    owner_database_url: PostgresUrl
    """postgresql://owner:password@host:port/database: the role that ran the migrations."""
    months_ahead: int = Field(default=2, ge=0, le=120)
    """For how many months after this one a partition is made."""
    retention_months: int | None = Field(default=None, ge=1)
    """How many whole months of events are kept before this one; by default all for ever."""
    proof_retention_days: int | None = Field(default=None, ge=1)
    """For how many days what proves the ledgers is kept; by default for ever."""
    operator_signing_key: SigningKeyText | None = None
    """PRIVATE+KEY+...: who answers for dropping months, an act that is signed into the chain."""
    sign_earlier_retention: bool = False
    """Sign also for months that were dropped before retention was signed; once, after an upgrade."""
    database_limit_bytes: int = Field(default=20_000_000_000, ge=1)
    """What the database may take on disk: from four fifths of it on Grafana warns."""

    @model_validator(mode="after")
    def _somebody_signs(self) -> Self:
        if self.retention_months is not None and self.operator_signing_key is None:
            raise ValueError(
                "retention is an act of a named operator: expected FILLPROOF_OPERATOR_SIGNING_KEY with "
                "FILLPROOF_RETENTION_MONTHS, found none; deploy/secrets.sh makes one"
            )
        return self


class PreparationSettings(MaintenanceSettings):
    """Beside that: the passwords with which the roles of the services log in."""

    database_url: PostgresUrl
    """postgresql://audit_writer:password@host:port/database: the password that the audit writer uses."""
    grafana_reader_password: SecretStr
    metrics_reader_password: SecretStr | None = None
    """Of the role with which a PostgreSQL exporter logs in; without it there is none."""
    desk_password: SecretStr | None = None
    """Of the role `desk`, with which operators acknowledge anomalies; without it there is none."""
