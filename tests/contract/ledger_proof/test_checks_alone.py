"""A proof is checked in a process that can open no connection and finds nothing of ours but the checker."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

from ledger_blobs import BLOB_SESSIONS
from life_proofs import NETWORK, life_proof, proven_session

from ledger_proof import write_document

SHARED = Path(__file__).parents[3] / "shared"
OURS = [str(SHARED / package / "src") for package in ("ledger_proof", "offer_lifecycle", "order_events")]
CHECK = """
import socket, sys
def refuse(*_, **__): raise OSError("no network")
socket.socket = socket.create_connection = socket.getaddrinfo = refuse
sys.path[:] = [path for path in sys.path if "site-packages" not in path] + sys.argv[3:]
from ledger_proof.__main__ import main
print(main([sys.argv[1], "--publisher", sys.argv[2], "--json"]))
print(sorted({name.partition(".")[0] for name in sys.modules} & {
    "asyncpg", "audit_writer", "console", "faststream", "httpx", "ledger_client", "nats", "reconciler",
    "xrpl",
}))
"""


def test_a_proof_is_checked_without_network_and_without_the_rest_of_fillproof(tmp_path: Path) -> None:
    session = proven_session(BLOB_SESSIONS / "hybrid_both_books.json.gz")
    file = tmp_path / "order.proof"
    file.write_bytes(write_document(life_proof(session, *next(iter(session.orders)))))
    libraries = sysconfig.get_paths()["purelib"]
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CHECK, str(file), NETWORK.trusted, *OURS, libraries],
        capture_output=True,
        text=True,
        check=False,
    )
    told, *rest = ran.stdout.splitlines()
    assert (json.loads(told)["end"], rest) == ("proved_closed", ["0", "[]"]), ran.stderr
