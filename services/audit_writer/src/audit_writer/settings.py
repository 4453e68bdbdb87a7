"""Settings of the audit writer, from environment variables that begin with `FILLPROOF_`."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from service_kit import ServiceSettings


class AuditWriterSettings(ServiceSettings):
    """Beside what every service needs: the database and the size of a batch."""

    database_url: SecretStr
    """postgresql://audit_writer:password@host:port/database"""
    batch_size: int = Field(default=500, ge=1, le=1_000)
    batch_seconds: float = Field(default=0.2, gt=0, le=5)
    """A batch is taken when it is full or when so many seconds have passed."""

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname:
            raise ValueError("expected postgresql://role:password@host:port/database")
        return url
