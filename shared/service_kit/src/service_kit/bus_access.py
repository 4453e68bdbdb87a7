"""How a process shows itself to NATS beside user and password: TLS, a certificate of its own, credentials."""

from __future__ import annotations

import ssl
from pathlib import Path  # noqa: TC003 - pydantic reads the annotation
from typing import Self

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_kit.settings import PREFIX


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
        if (self.nats_certificate is None) != (self.nats_key is None):
            raise ValueError("expected FILLPROOF_NATS_CERTIFICATE and FILLPROOF_NATS_KEY together, found one")
        read = self.nats_credentials
        try:
            if read is not None:
                read.read_bytes()
            read = self.nats_ca
            context = ssl.create_default_context(cafile=read)
            read = self.nats_certificate
            if read is not None and self.nats_key is not None:
                context.load_cert_chain(read, self.nats_key)
        except OSError as error:  # ssl.SSLError is one
            raise ValueError(f"expected a file in PEM at {read}, found: {error}") from error
        return self

    def tls(self) -> ssl.SSLContext | None:
        """Return what TLS connections are made with; None: as URL and server demand, with defaults."""
        if self.nats_ca is None and self.nats_certificate is None:
            return None
        context = ssl.create_default_context(cafile=self.nats_ca)
        if self.nats_certificate is not None:
            context.load_cert_chain(self.nats_certificate, self.nats_key)
        return context

    def credentials(self) -> str | None:
        """Return the path of the `.creds` file."""
        return None if self.nats_credentials is None else str(self.nats_credentials)

    def named(self) -> str:
        """Return what a refusal names beside the server: the authority that vouches for it."""
        return "" if self.nats_ca is None else f", by the certificates of {self.nats_ca}"
