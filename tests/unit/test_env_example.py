"""Lines of .env.example: each names a setting, its true default and the bounds that hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import pytest
from deployed_settings import CLASSES, variable
from pydantic import TypeAdapter, ValidationError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[2]
FIELDS: dict[str, FieldInfo] = {
    variable(name): field for settings in CLASSES for name, field in settings.model_fields.items()
}
COMPOSED = "".join((ROOT / name).read_text() for name in ("compose.yaml", "compose.cluster.yaml"))
SECRETS_STEP = (ROOT / "deploy" / "secrets.sh").read_text()
TO_BE_REPLACED = {"FILLPROOF_ACCOUNTS"}
"""Its line holds no address, so that nothing starts with somebody else's account."""
BOUND = re.compile(r"\(at most (?P<most>\d+)\)|\((?P<low>\d+) to (?P<high>\d+)\)|\((?P<least>\d+) or more\)")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One setting."""

    name: str
    value: str
    example: bool
    comment: str
    """What stands above it, or above the setting before it."""
    place: int
    """How many settings stand between it and the comment."""


def lines() -> list[Line]:
    found, comment, place = [], "", 0
    for text in (ROOT / ".env.example").read_text().splitlines():
        setting = re.fullmatch(r"(?:# (?P<example>e\.g\. )?)?(?P<name>[A-Z_]+)=(?P<value>.*)", text)
        if setting is None:
            comment, place = ("" if found and found[-1].comment == comment else comment) + text, 0
            continue
        found.append(
            Line(
                name=setting["name"],
                value=setting["value"],
                example=setting["example"] is not None,
                comment=comment,
                place=place,
            )
        )
        place += 1
    return found


LINES = lines()
OF_SERVICES = [line for line in LINES if line.name in FIELDS]


def bounded() -> list[tuple[Line, re.Match[str]]]:
    """Return the lines whose comment gives a bound for them, each with its own."""
    found = [(line, list(BOUND.finditer(line.comment))) for line in OF_SERVICES]
    return [(line, bounds[line.place]) for line, bounds in found if line.place < len(bounds)]


def read(name: str, value: Any) -> object:  # noqa: ANN401 - what a test wants to try
    """Return the value as the service reads it; raises ValidationError where it refuses it."""
    field = FIELDS[name]
    return TypeAdapter(Annotated[field.annotation, *field.metadata, "as a setting"]).validate_python(value)


@pytest.mark.parametrize(
    "line", [line for line in OF_SERVICES if line.name not in TO_BE_REPLACED], ids=lambda line: line.name
)
def test_a_line_of_a_service_shows_its_default_or_an_example_of_what_it_takes(line: Line) -> None:
    default = FIELDS[line.name].get_default()
    if line.example:
        assert default in {None, "", ()}
        assert read(line.name, line.value) != default
    elif FIELDS[line.name].is_required():
        assert read(line.name, line.value)
    else:
        assert read(line.name, line.value) == default


@pytest.mark.parametrize(
    "line", [line for line in LINES if line.name not in FIELDS], ids=lambda line: line.name
)
def test_a_line_of_the_deployment_shows_the_default_of_compose_or_of_the_secrets_step(line: Line) -> None:
    if line.name == "COMPOSE_FILE":
        assert all((ROOT / name).is_file() for name in line.value.split(":"))
        return
    defaults = set(re.findall(rf"\$\{{{line.name}:-([^}}]*)\}}", COMPOSED))
    defaults |= set(re.findall(rf"\$\(setting {line.name} \| grep \. \|\| echo ([^)]*)\)", SECRETS_STEP))
    if line.example:
        assert line.value not in defaults
        assert defaults or f"setting {line.name}" in SECRETS_STEP
    else:
        assert line.value in defaults
        assert len(defaults - {""}) <= 1


@pytest.mark.parametrize(("line", "bound"), [pytest.param(*one, id=one[0].name) for one in bounded()])
def test_a_bound_in_a_comment_is_the_one_that_holds(line: Line, bound: re.Match[str]) -> None:
    most, least = bound["most"] or bound["high"], bound["low"] or bound["least"]
    for held, beyond in ((most, 1), (least, -1)):
        if held is not None:
            read(line.name, int(held))
            with pytest.raises(ValidationError):
                read(line.name, int(held) + beyond)


def test_every_setting_has_one_line() -> None:
    names = [line.name for line in LINES]
    assert len(names) == len(set(names))
    assert sum(bool(BOUND.search(line.comment)) for line in LINES) > 5
