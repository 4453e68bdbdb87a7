"""docs/architecture.md walks through code that exists: each step's file, and the function in it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
STEPS = re.findall(r"^\| (\d+) \| `([^`]+)` `([^`]+)` \|", PAGE, re.MULTILINE)


def test_the_walk_has_all_its_steps() -> None:
    assert [int(number) for number, _, _ in STEPS] == list(range(1, 17))


@pytest.mark.parametrize(("number", "path", "function"), STEPS)
def test_each_step_names_a_function_of_its_file(number: str, path: str, function: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    functions = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert function in functions, f"step {number}"
