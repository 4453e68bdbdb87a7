"""A recorded session is read whole, and what is none is refused with what was expected and found."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from replaying import session_path

from replay_node.session import BadSession, read_session

if TYPE_CHECKING:
    from pathlib import Path


def raw_session() -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(gzip.decompress(session_path("full_fill").read_bytes()))
    return raw


def test_a_plain_json_session_reads_like_the_compressed_one(tmp_path: Path) -> None:
    path = tmp_path / "full_fill.json"
    path.write_text(json.dumps(raw_session()))

    assert read_session(path) == read_session(session_path("full_fill"))
    assert read_session(path).name == "full_fill"


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.json.gz"
    path.write_bytes(session_path("full_fill").read_bytes()[:500])

    with pytest.raises(BadSession, match="expected a readable"):
        read_session(path)


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}"])
def test_a_file_that_is_no_session_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)

    with pytest.raises(BadSession, match="expected a recorded session in JSON, found"):
        read_session(path)


def test_ledgers_out_of_order_are_refused(tmp_path: Path) -> None:
    raw = raw_session()
    raw["ledgers"].reverse()
    path = tmp_path / "reversed.json"
    path.write_text(json.dumps(raw))

    with pytest.raises(BadSession, match="expected ledgers oldest first"):
        read_session(path)


@pytest.mark.parametrize(("part", "field"), [("header", "parent_hash"), ("transactions", "hash")])
def test_a_ledger_that_lacks_what_it_must_have_is_refused(tmp_path: Path, part: str, field: str) -> None:
    raw = raw_session()
    damaged = raw["ledgers"][1][part]
    del (damaged if part == "header" else damaged[0])[field]
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(raw))

    with pytest.raises(BadSession, match="ledger 8: expected"):
        read_session(path)


@pytest.mark.parametrize(
    ("place", "value", "found"),
    [
        (("orders", 0, "sequence"), None, r"orders\[0\]: expected an order with all its fields"),
        (("orders", 0, "taker_gets"), "much", r"orders\[0\].*`\$\.taker_gets`"),
        (("orders", 0, "taker_pays", "value"), "1.2.3", r"orders\[0\].*`\$\.taker_pays\.value`"),
        (("orders", 0, "account"), "rNobody", r"orders\[0\].*one of the session's accounts, found rNobody"),
        (("ledgers", 1, "header", "parent_close_time"), "late", r"ledger 8: .*`\$\.parent_close_time`"),
        (("ledgers", 1, "stream", 0, "reserve_base"), None, r"ledger 8: .*`\$\.reserve_base`"),
        (("ledgers", 1, "stream", 1, "type"), 1, r"ledger 8: .*`\$\.type`"),
        (("ledgers", 1, "after", "maker", "lines"), 5, r"ledger 8: maker: expected .*`\$\.lines`"),
        (("ledgers", 1, "transactions", 0, "metaData"), None, r"ledger 8: .*`\$\.metaData`"),
    ],
)
def test_a_part_of_another_kind_is_refused_by_its_place(
    tmp_path: Path, place: tuple[str | int, ...], value: object, found: str
) -> None:
    raw = raw_session()
    within: Any = raw
    for step in place[:-1]:
        within = within[step]
    within[place[-1]] = value
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(raw))

    with pytest.raises(BadSession, match=found):
        read_session(path)
