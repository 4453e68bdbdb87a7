"""How a process shows itself to PostgreSQL beside role and password: TLS, a certificate of its own."""

from __future__ import annotations

import ssl
from pathlib import Path  # noqa: TC003 - pydantic reads the annotation
from typing import Self

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_kit.settings import PREFIX
from service_kit.tls_files import TlsFiles

_DEMANDS = ("certificate", "no encryption")
"""What PostgreSQL says where it demands TLS, or a certificate."""


class DatabaseAccess(BaseSettings):
    """Files, by path; each is optional. Where one is set, every connection is TLS and the server is verified.

    That is `sslmode=verify-full`: the server's certificate is of this authority and of the host's name. Where
    none is set, the URL decides (`?sslmode=...`).
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    database_ca: Path | None = None
    """The certificate authority (PEM) that signed the server's certificate; by default the machine's."""
    database_certificate: Path | None = None
    """The certificate (PEM) that this process shows, where the server demands one."""
    database_key: Path | None = None
    """Its private key (PEM)."""

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        self._files.require_readable("FILLPROOF_DATABASE")
        return self

    @property
    def _files(self) -> TlsFiles:
        return TlsFiles(ca=self.database_ca, certificate=self.database_certificate, key=self.database_key)

    def tls(self) -> ssl.SSLContext | None:
        """Return what connections are made with; None: as the URL says."""
        return self._files.context()

    def explained(self, error: BaseException) -> str:
        """Return what a driver says of the database, with the files that a refusal by TLS is about."""
        said, files = str(error) or repr(error), self._files.named()
        if isinstance(error, ssl.SSLError):
            return f"TLS fails{files}: {said}"
        if not files and any(demand in said for demand in _DEMANDS):
            return f"{said}; FILLPROOF_DATABASE_CA, _CERTIFICATE and _KEY name the files of TLS"
        # a server that does not believe our certificate closes the connection without a word
        return said + files if any(word in said for word in ("certificate", "connection", "SSL")) else said
