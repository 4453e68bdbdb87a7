"""The kernel is used by what its `__init__` names; only its own unit tests ask the modules behind it."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDERS = ("services", "shared", "deploy", "tests")


def imports_past_the_face(root: Path, package: str) -> list[str]:
    """Return `file: module` of each import from a module behind the package's `__init__`."""
    past = []
    for path in (one for folder in FOLDERS for one in sorted((root / folder).rglob("*.py"))):
        if any(own in path.as_posix() for own in (f"src/{package}/", f"tests/unit/{package}/")):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            past += [f"{path.relative_to(root)}: {name}" for name in names if name.startswith(f"{package}.")]
    return past


def test_nobody_imports_past_the_kernels_face() -> None:
    assert imports_past_the_face(ROOT, "offer_lifecycle") == []


def test_an_import_past_the_face_is_named(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "one.py").write_text(
        "from kernel import a\nfrom kernel.funds import b\nimport kernel.c\n"
    )
    assert imports_past_the_face(tmp_path, "kernel") == [
        "tests/one.py: kernel.funds",
        "tests/one.py: kernel.c",
    ]
