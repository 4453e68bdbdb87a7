"""Tests on a real Docker engine: `make test-compose`, which brings one where it can."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment import ROOT, Deployment, environment_of
from session_rows import PACE, SESSION


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """Give a deployment of which nothing runs yet; everything of it is removed afterwards."""
    environment = tmp_path / "demo.env"
    environment.write_text(environment_of(SESSION, PACE))
    subprocess.run([ROOT / "deploy/secrets.sh", "--env-file", environment], check=True)
    project = Deployment(environment)
    project.down()
    yield project
    project.down()
