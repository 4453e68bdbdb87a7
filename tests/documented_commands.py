"""Command blocks of the operator's pages, with the status with which each must end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "docs" / "operating.md", *sorted((ROOT / "docs" / "runbooks").glob("*.md"))]
RAN_AS_DOCUMENTED = "ran as documented"
"""The property of a test that has run a block: the block's name."""
PLACEHOLDERS = ROOT / "docs" / "runbooks" / "README.md"
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)
_INFO = re.compile(r"bash(?: status: (?P<status>\d+)| no-run: (?P<why>\S.*))?")


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """One block of a page that is for a shell."""

    page: str
    line: int
    status: int
    """With which the page says that it ends."""
    why_not_run: str
    """Why it can't be run in a test's deployment; empty: it can."""
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """Its lines without comments; one that goes on in the next counts with it."""
        lines = re.sub(r"(\\|\|)\n\s*", r"\1 ", self.text).splitlines()
        return [line for line in lines if line.strip() and not line.strip().startswith("#")]


def fences(page: Path) -> list[str]:
    """Return what stands behind the opening of each block of the page."""
    return [found["info"] for found in _FENCE.finditer(page.read_text())]


def blocks(page: Path) -> list[Block]:
    """Return the page's blocks for a shell, in order."""
    text, found_blocks = page.read_text(), []
    for found in _FENCE.finditer(text):
        info = _INFO.fullmatch(found["info"])
        if info is None:
            continue
        found_blocks.append(
            Block(
                page=page.relative_to(ROOT / "docs").as_posix(),
                line=text.count("\n", 0, found.start()) + 1,
                status=int(info["status"] or 0),
                why_not_run=info["why"] or "",
                text=re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE),
            )
        )
    return found_blocks


def placeholders() -> set[str]:
    """Return the words that the runbooks' page declares as the reader's to replace."""
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", PLACEHOLDERS.read_text(), re.MULTILINE)
    return {word for row in rows for word in re.findall(r"[A-Z_]+", row)}


def filled_in(text: str, values: Mapping[str, Callable[[], str]]) -> str:
    """Return the text with each placeholder replaced by its value."""
    return re.sub(r"\b[A-Z_]+\b", lambda word: values[word[0]]() if word[0] in values else word[0], text)
