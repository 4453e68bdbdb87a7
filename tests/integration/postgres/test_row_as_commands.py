"""A row is shown to somebody who has checkpoints alone: `verify --row`, `check-row`, `audit_log check`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from audit_tables import fetch, store
from fillproof_command import fillproof
from sample_events import mixed
from signed_log import KEYS, LOG_KEY, checkpoint_of

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Dsn

pytestmark = pytest.mark.stack

EVENTS = mixed(40)
BATCHES = (EVENTS[:16], EVENTS[16:32], EVENTS[32:])


async def test_a_row_is_proved_from_the_database_and_checked_without_it(
    postgres_dsn: Dsn, tmp_path: Path
) -> None:
    await store(postgres_dsn("audit_writer"), *BATCHES)
    chain = await fetch(postgres_dsn(), "SELECT digest FROM batch_digest ORDER BY position")
    digests = [row[0] for row in chain]
    note, held, keys, proof = (tmp_path / name for name in ("newest", "earlier", "keys", "row.proof"))
    note.write_text(checkpoint_of(digests).signed_by(LOG_KEY))
    held.write_text(checkpoint_of(digests[:2]).signed_by(LOG_KEY))
    keys.write_text("".join(f"{key}\n" for key in KEYS))
    event_id = EVENTS[18].event_id

    signed = ("--checkpoints", note, "--keys", keys)
    row = ("--row", event_id, "--held", held, "-o", proof)
    made = fillproof("verify", "--database", postgres_dsn(), *signed, *row)
    assert (made.returncode, made.stderr) == (0, "")

    checked = fillproof("check-row", proof, "--keys", keys, "--held", held)
    assert checked.returncode == 0, checked.stderr
    assert str(event_id) in checked.stdout
    alone = [sys.executable, "-m", "audit_log", "check", proof, "--key", str(KEYS[0]), "--held", held]
    ended = await asyncio.to_thread(subprocess.run, alone, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr

    proof.write_bytes(proof.read_bytes().replace(str(event_id).encode(), str(EVENTS[20].event_id).encode()))
    changed = fillproof("check-row", proof, "--keys", keys)
    assert changed.returncode == 1
    assert changed.stderr.startswith("fillproof: ")
