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
    done = CliRunner().invoke(app, ["status"], default_map=secret_defaults(COMMANDS, directory=secrets))
    assert done.exit_code == 2
    assert f"expected NATS at {PLACE}" in done.stderr


def test_what_is_named_on_the_command_line_counts_more(secrets: Path) -> None:
    arguments = ["status", "--nats", "nats://127.0.0.1:7"]
    done = CliRunner().invoke(app, arguments, default_map=secret_defaults(COMMANDS, directory=secrets))
    assert "expected NATS at 127.0.0.1:7" in done.stderr


@pytest.mark.parametrize("command", ["status", "verify", "ack"])
def test_no_help_shows_a_secret(command: str, secrets: Path) -> None:
    done = CliRunner().invoke(
        app, [command, "--help"], default_map=secret_defaults(COMMANDS, directory=secrets)
    )
    assert done.exit_code == 0
    assert "hidden" not in done.stdout


def test_who_acknowledges_logs_in_as_an_operator_and_who_verifies_as_the_owner(secrets: Path) -> None:
    defaults = secret_defaults(COMMANDS, directory=secrets)
    assert "desk:" in str(defaults["ack"]["database"]())
    assert "owner:" in str(defaults["verify"]["database"]())


def test_without_a_deployment_there_are_none(tmp_path: Path) -> None:
    assert secret_defaults(COMMANDS, directory=tmp_path / "nowhere") == {}


def test_who_verifies_gets_the_checkpoints_and_the_keys_and_who_signs_a_failover_the_own_key_too(
    secrets: Path,
) -> None:
    (secrets / "verifier_keys").write_text("fillproof/audit+00000000+AAAA\n")
    (secrets / "fillproof_operator_signing_key").write_text("PRIVATE+KEY+hidden\n")
    defaults = secret_defaults(COMMANDS, directory=secrets)
    for command in ("verify", "failover"):
        assert defaults[command]["checkpoints"]() == [f"nats://operator:hidden@{PLACE}"]
        assert defaults[command]["keys"]() == [str(secrets / "verifier_keys")]
    assert defaults["failover"]["operator_key"]() == str(secrets / "fillproof_operator_signing_key")


def test_verify_takes_them_and_says_what_is_wrong_with_the_keys(secrets: Path) -> None:
    (secrets / "verifier_keys").write_text("none\n")
    done = CliRunner().invoke(app, ["verify"], default_map=secret_defaults(COMMANDS, directory=secrets))
    assert done.exit_code == 2
    assert "expected a file of verifier keys" in done.stderr


@pytest.mark.parametrize("other", ["--xrpl", "--session=random_1"])
@pytest.mark.parametrize("command", ["prove", "compare"])
def test_the_database_is_no_default_where_another_source_is_named(
    command: str, other: str, secrets: Path
) -> None:
    assert "database" in secret_defaults(COMMANDS, [command], secrets)[command]
    assert "database" not in secret_defaults(COMMANDS, [command, other], secrets)[command]
