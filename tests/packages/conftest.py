"""Wheels of the workspace, and fresh environments outside the tree with one package each: `make packages`."""

import os
import shutil
from pathlib import Path

import pytest
from lone_package import LonePackage, build_wheels

ROOT = Path(__file__).parents[2]

collect_ignore_glob = [] if "FILLPROOF_TEST_PACKAGES" in os.environ else ["test_*"]


@pytest.fixture(scope="session")
def uv() -> Path:
    """Return uv as `make setup` finds it."""
    found = shutil.which("uv", path=f"{os.environ['PATH']}:{ROOT / '.tools' / 'bin'}")
    assert found is not None, "expected uv on PATH or in .tools, found none: make setup installs it"
    return Path(found)


@pytest.fixture(scope="session")
def wheels(uv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of every package of the workspace."""
    directory = tmp_path_factory.mktemp("wheels")
    build_wheels(uv, ROOT, directory)
    return directory


@pytest.fixture(scope="session")
def package(
    request: pytest.FixtureRequest, uv: Path, wheels: Path, tmp_path_factory: pytest.TempPathFactory
) -> LonePackage:
    """Install the package that the test is parametrized with, as `fillproof-console[local]`."""
    directory = tmp_path_factory.mktemp("package")
    return LonePackage.install(request.param, uv=uv, root=ROOT, wheels=wheels, directory=directory)
