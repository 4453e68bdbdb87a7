"""The keys of the audit log, as `deploy/secrets.sh` makes them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from audit_log import read_signing_key, read_verifier_key

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


def make_secrets(place: Path, **environment: str) -> Path:
    (place / "deploy").mkdir(exist_ok=True)
    shutil.copy(ROOT / "deploy" / "secrets.sh", place / "deploy")
    subprocess.run(
        ["sh", "deploy/secrets.sh"],
        cwd=place,
        env=os.environ | {"FILLPROOF_ACCOUNTS": "rX"} | environment,
        check=True,
    )
    return place / "secrets"


def test_the_step_makes_a_key_for_the_log_and_one_for_a_named_operator(tmp_path: Path) -> None:
    secrets = make_secrets(tmp_path, FILLPROOF_OPERATOR="mia")
    log = read_signing_key((secrets / "checkpoint_signing_key").read_text())
    operator = read_signing_key((secrets / "operator_signing_key").read_text())
    assert (log.name, operator.name) == ("fillproof/audit", "mia")
    public = [read_verifier_key(line) for line in (secrets / "verifier_keys").read_text().split()]
    assert public == [log.verifier, operator.verifier]


def test_a_new_key_leaves_the_old_public_one_where_it_is(tmp_path: Path) -> None:
    secrets = make_secrets(tmp_path)
    before = (secrets / "verifier_keys").read_text().split()
    (secrets / "checkpoint_signing_key").unlink()
    make_secrets(tmp_path)
    after = (secrets / "verifier_keys").read_text().split()
    new = read_signing_key((secrets / "checkpoint_signing_key").read_text())
    assert after == [*before, str(new.verifier)]
    assert str(new.verifier) not in before
