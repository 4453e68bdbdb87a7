"""Files of TLS: whose certificates a process believes, and the one that it shows."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


class TlsFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Files in PEM, by path; each is optional."""

    ca: Path | None
    """The certificate authority that signed the servers' certificates; None: those of the machine."""
    certificate: Path | None
    """What this process shows, where a server demands a certificate."""
    key: Path | None
    """The private key of `certificate`."""

    def require_readable(self, prefix: str) -> None:
        """Raise ValueError where a file can't be used; `prefix`: of the settings, as `FILLPROOF_NATS`."""
        if (self.certificate is None) != (self.key is None):
            raise ValueError(f"expected {prefix}_CERTIFICATE and {prefix}_KEY together, found one")
        read = self.ca
        try:
            context = ssl.create_default_context(cafile=read)
            read = self.certificate
            if read is not None:
                context.load_cert_chain(read, self.key)
        except OSError as error:  # ssl.SSLError is one
            raise ValueError(f"expected a file in PEM at {read}, found: {error}") from error

    def context(self) -> ssl.SSLContext | None:
        """Return what TLS connections are made with; None: as URL and server demand, with defaults."""
        if self.ca is None and self.certificate is None:
            return None
        context = ssl.create_default_context(cafile=self.ca)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context

    def named(self) -> str:
        """Return what a refusal names beside the server: the files that it is about."""
        believed = "" if self.ca is None else f", by the certificates of {self.ca}"
        shown = "" if self.certificate is None else f", showing {self.certificate}"
        return believed + shown
