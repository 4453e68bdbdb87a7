"""Certificates for servers and clients of a test, as PEM files in one directory."""

from pathlib import Path

import trustme

SERVER = "127.0.0.1"


def write_certificates(place: Path, *, client: str = "client@desk.invalid") -> None:
    """Write `ca.pem`, and of that authority `server.pem` and `client.pem` with their keys (`.key`).

    `other_ca.pem` is another authority; `stranger.pem` names the same client and is of that one.
    """
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(place / "ca.pem")
    other.cert_pem.write_to_path(place / "other_ca.pem")
    for name, issued in (
        ("server", authority.issue_cert(SERVER)),
        ("client", authority.issue_cert(client)),
        ("stranger", other.issue_cert(client)),
    ):
        issued.cert_chain_pems[0].write_to_path(place / f"{name}.pem")
        issued.private_key_pem.write_to_path(place / f"{name}.key")
