"""How a process shows itself to NATS beside user and password: TLS, a certificate of its own, credentials."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads the annotation
from typing import TYPE_CHECKING, Self

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_kit.settings import PREFIX
from service_kit.tls_files import TlsFiles

if TYPE_CHECKING:
    import ssl


class BusAccess(BaseSettings):
    """Files, by path; each is optional, and read once a connection is made."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    nats_ca: Path | None = None
    """The certificate authority (PEM) that signed the servers' certificates; by default the machine's."""
    nats_certificate: Path | None = None
    """The certificate (PEM) that this process shows, where the servers demand one."""
    nats_key: Path | None = None
    """Its private key (PEM)."""
    nats_credentials: Path | None = None
    """A `.creds` file: a user's token and the seed of its key."""

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        self._files.require_readable("FILLPROOF_NATS")
        try:
            if self.nats_credentials is not None:
                self.nats_credentials.read_bytes()
        except OSError as error:
            raise ValueError(f"expected credentials at {self.nats_credentials}, found: {error}") from error
        return self

    @property
    def _files(self) -> TlsFiles:
        return TlsFiles(ca=self.nats_ca, certificate=self.nats_certificate, key=self.nats_key)

    def tls(self) -> ssl.SSLContext | None:
        """Return what TLS connections are made with; None: as URL and server demand, with defaults."""
        return self._files.context()

    def credentials(self) -> str | None:
        """Return the path of the `.creds` file."""
        return None if self.nats_credentials is None else str(self.nats_credentials)

    def named(self) -> str:
        """Return what a refusal names beside the server: the files that it is about."""
        return self._files.named()
