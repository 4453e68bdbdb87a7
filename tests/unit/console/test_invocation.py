"""Commands that the console prints can be pasted where it was started."""

import shlex
import sys
from pathlib import Path

import pytest

from console.invocation import pasteable


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Give an installed `fillproof`, in a directory with a space in its name."""
    path = tmp_path / "my bin" / "fillproof"
    path.parent.mkdir()
    path.touch(mode=0o755)
    return path


def test_a_program_that_is_not_on_the_path_is_named_as_it_was_started(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", "/nowhere")
    assert pasteable("replay", "my session") == f"'{program}' replay 'my session'"


def test_a_program_on_the_path_is_called_by_its_name(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", str(program.parent))
    assert pasteable("replay", "canceled") == "fillproof replay canceled"


def test_another_program_of_that_name_on_the_path_is_not_meant(
    program: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "fillproof").touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pasteable("demo") == f"'{program}' demo"


def test_the_module_is_named_where_it_was_started_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/console/__main__.py"])
    assert pasteable("demo") == f"{shlex.quote(sys.executable)} -m console demo"
