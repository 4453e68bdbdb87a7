from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

if TYPE_CHECKING:
    from types import ModuleType

PACKAGE = Path(__file__).parents[3] / "shared" / "ledger_proof"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_definitions", PACKAGE / "make_definitions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_names_is_the_one_that_xrpl_py_publishes(script: ModuleType) -> None:
    published = msgspec.json.decode(script.PUBLISHED.read_bytes())
    assert msgspec.json.decode(script.TABLE.read_bytes()) == script.table(published)
