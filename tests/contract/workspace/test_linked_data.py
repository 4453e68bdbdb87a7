"""What packages link to as their data is in the build of the images, which makes their wheels too."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LINKS = sorted(
    path
    for source in ("deploy/local", "services", "shared")
    for path in (ROOT / source).glob("*/src/*/*")
    if path.is_symlink()
)


@pytest.mark.parametrize("link", LINKS, ids=lambda path: path.name)
def test_the_target_of_a_link_is_copied_into_the_build_of_the_images(link: Path) -> None:
    target = str(link.resolve(strict=True).relative_to(ROOT.resolve()))
    build = (ROOT / "deploy" / "Dockerfile").read_text().partition("AS reconciler-environment")[0]
    assert re.search(rf"^COPY {target} {target}$", build, re.MULTILINE)
    assert f"!{target}" in (ROOT / ".dockerignore").read_text().splitlines()


def test_recordings_migrations_and_queries_are_linked() -> None:
    assert {path.name for path in LINKS} >= {"migrations", "queries", "sessions"}
