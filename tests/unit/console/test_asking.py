"""What a person names is checked before anything is asked, and foreign texts can't steer the terminal."""

from pathlib import Path

import pytest
import typer

from console.asking import checked_address, checked_url, server_at
from console.ending import explained
from console.errors import BadOption
from console.tables import printable
from ledger_client import Overloaded, ProtocolViolation, Refused, ServerError, Unreachable


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:51234", "https://", "nonsense"])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(BadOption, match="expected a URL as https://HOST:PORT"):
        server_at(url)


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_a_server_that_nobody_answers_at_is_named_without_its_password(scheme: str) -> None:
    server = server_at(f"{scheme}://me:secret@127.0.0.1:1")
    with pytest.raises(Unreachable) as unreachable:
        await server.request("ping")
    assert unreachable.value.server.startswith(f"{scheme}://127.0.0.1:1#")
    assert "secret" not in str(unreachable.value)
    await server.close()


def test_a_url_may_stand_in_a_file_that_is_named_by_an_at_sign(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("wss://one.example/t0ken\n")
    assert checked_url(f"@{tmp_path / 'url'}") == "wss://one.example/t0ken"
    assert server_at(f"@{tmp_path / 'url'}").name.startswith("wss://one.example#")
    with pytest.raises(BadOption, match="expected a file with a URL"):
        checked_url(f"@{tmp_path / 'none'}")


def test_an_address_that_is_none_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(BadOption, match="found 'nonsense'"):
        checked_address("nonsense")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (Unreachable("http://node", "ping: refused"), 2, "found none at http://node (ping: refused)"),
        (Overloaded("http://node", "ping: slowDown"), 2, "found none at http://node (ping: slowDown)"),
        (Refused("http://node", "lgrNotFound", "ledger: none\x1b[2J"), 1, "http://node: ledger: none?[2J"),
        (ProtocolViolation("http://node", "ledger: odd"), 1, "http://node: ledger: odd"),
    ],
)
def test_a_server_that_can_not_be_used_ends_the_command_with_a_status_by_who_is_at_fault(
    error: ServerError, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as end, explained():
        raise error
    assert end.value.exit_code == status
    assert said in capsys.readouterr().err


def test_what_a_terminal_would_obey_is_shown_as_question_marks() -> None:
    assert printable("USD\x1b[31m\u202e") == "USD?[31m?"
