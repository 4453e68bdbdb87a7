"""Command blocks of the operator's pages: each says how it ends, and every word to replace is declared."""

import re
from pathlib import Path

import pytest
from documented_commands import PAGES, Block, blocks, fences, placeholders

BLOCKS = [block for page in PAGES for block in blocks(page)]
NOT_OURS = {
    "AND",
    "AS",
    "BY",
    "CONCURRENTLY",
    "CREATE",
    "DESC",
    "FROM",
    "GRANT",
    "IN",
    "LIMIT",
    "LOGIN",
    "ORDER",
    "PASSWORD",
    "REINDEX",
    "INDEX",
    "ROLE",
    "SELECT",
    "TO",
    "WHERE",
    "GET",
    "PWD",
    "BOOK",
    "HUP",
    "UTC",
}
"""Words in capitals that a block may have beside: of SQL, HTTP and the shell."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_says_what_it_is(page: Path) -> None:
    runnable = len(blocks(page))
    assert all(info.startswith("bash") or info == "text" for info in fences(page)), fences(page)
    assert runnable == sum(info.startswith("bash") for info in fences(page))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_every_word_that_a_reader_replaces_is_declared(block: Block) -> None:
    words = set(re.findall(r"(?<![\w$%{-])(?!FILLPROOF_)[A-Z][A-Z_]+\b(?!=)", block.text))
    assert words <= placeholders() | NOT_OURS
    assert block.commands


def test_the_pages_have_commands_and_say_why_one_is_not_run() -> None:
    assert len(BLOCKS) > 50
    assert {block.page for block in BLOCKS if block.why_not_run} == {
        "operating.md",
        "runbooks/BookDiffers.md",
        "runbooks/DiskNearlyFull.md",
    }
