"""Every command of the README, the runbooks and the pages of docs is one that can be called so."""

import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from console.main import COMMANDS, app

ROOT = Path(__file__).parents[3]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "runbooks").glob("*.md")),
]
SERVICES = set(yaml.safe_load((ROOT / "compose.yaml").read_text())["services"])
OPTIONS_WITH_VALUE = {
    "--profile",
    "--scale",
    "--tail",
    "-s",
    "-U",
    "-v",
    "--user",
    "-c",
    "-d",
    "-h",
    "-n",
    "--env-file",
    "-f",
}


def commands_of(page: Path) -> list[str]:
    """Return the lines of the page's blocks for a shell, and what stands in backquotes."""
    text = page.read_text()
    blocks = re.findall(r"^ *```(?:bash[^\n]*)?\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE))
    lines = [line.removeprefix("$ ").removeprefix(".venv/bin/") for line in lines]
    return [line.partition("  #")[0].partition(" #")[0].strip() for line in lines + inline]


CONSOLE = [
    pytest.param(line, id=f"{page.stem}: {line}")
    for page in PAGES
    for line in dict.fromkeys(commands_of(page))
    if re.match(r"(docker compose run --rm console|fillproof) [a-z-]+( |$)", line)
]
COMPOSE = [
    pytest.param(line, id=f"{page.stem}: {line}")
    for page in PAGES
    for line in dict.fromkeys(commands_of(page))
    if re.match(r"docker compose (run|exec|up|start|stop|restart|logs|kill)\b", line)
]


def test_there_are_commands_to_check() -> None:
    assert len(CONSOLE) > 10
    assert len(COMPOSE) > 10


@pytest.mark.parametrize("line", CONSOLE)
def test_a_console_command_has_a_name_and_options_that_exist(line: str) -> None:
    arguments = shlex.split(re.sub(r"^(docker compose run --rm console|fillproof) ", "", line))
    assert arguments[0] in COMMANDS
    group = typer.main.get_command(app)
    command = group.get_command(None, arguments[0])  # type: ignore[attr-defined, arg-type]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {one.partition("=")[0] for one in arguments[1:] if one.startswith("--")} <= known | {"--help"}


@pytest.mark.parametrize("line", COMPOSE)
def test_a_compose_command_names_services_that_exist(line: str) -> None:
    words = shlex.split(line.partition(" > ")[0].partition(" < ")[0])[3:]
    named, skip = [], False
    for word in words:
        if skip or word.startswith("-"):
            skip = word in OPTIONS_WITH_VALUE
            continue
        named.append(word)
    single = line.startswith(("docker compose run", "docker compose exec"))
    assert set(named[:1] if single else named) <= SERVICES
