"""The operator's name on record where the command line gives none: the machine's user, or its number."""

import getpass
import os

import pytest

from console.operator_name import operator_name


def test_it_is_the_machine_s_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "mia")
    assert operator_name() == "mia"


@pytest.mark.parametrize("error", [KeyError("getpwuid(): uid not found: 10001"), OSError("no user")])
def test_a_container_s_user_without_a_name_is_its_number(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def nameless() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert operator_name() == f"uid {os.getuid()}"
