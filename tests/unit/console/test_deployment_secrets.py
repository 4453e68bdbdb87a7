"""Secrets of a deployment as defaults of options: used, and shown nowhere."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.deployment_secrets import secret_defaults
from console.main import COMMANDS, app

PLACE = "127.0.0.1:9"


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    (tmp_path / "fillproof_nats_url").write_text(f"nats://operator:hidden@{PLACE}\n")
    (tmp_path / "fillproof_owner_database_url").write_text(f"postgresql://owner:hidden@{PLACE}/owners\n")
    (tmp_path / "fillproof_operator_database_url").write_text(f"postgresql://desk:hidden@{PLACE}/desks\n")
    return tmp_path


def test_a_command_takes_its_address_from_the_file(secrets: Path) -> None:
    done = CliRunner().invoke(app, ["status"], default_map=secret_defaults(COMMANDS, secrets))
    assert done.exit_code == 2
    assert f"expected NATS at {PLACE}" in done.stderr


def test_what_is_named_on_the_command_line_counts_more(secrets: Path) -> None:
    arguments = ["status", "--nats", "nats://127.0.0.1:7"]
    done = CliRunner().invoke(app, arguments, default_map=secret_defaults(COMMANDS, secrets))
    assert "expected NATS at 127.0.0.1:7" in done.stderr


@pytest.mark.parametrize("command", ["status", "verify", "ack"])
def test_no_help_shows_a_secret(command: str, secrets: Path) -> None:
    done = CliRunner().invoke(app, [command, "--help"], default_map=secret_defaults(COMMANDS, secrets))
    assert done.exit_code == 0
    assert "hidden" not in done.stdout


def test_who_acknowledges_logs_in_as_an_operator_and_who_verifies_as_the_owner(secrets: Path) -> None:
    defaults = secret_defaults(COMMANDS, secrets)
    assert "desk:" in defaults["ack"]["database"]()
    assert "owner:" in defaults["verify"]["database"]()


def test_without_a_deployment_there_are_none(tmp_path: Path) -> None:
    assert secret_defaults(COMMANDS, tmp_path / "nowhere") == {}
