"""`fillproof compare` as a person calls it."""

import json
from pathlib import Path

import pytest
from engine_books.csv_formats import generic_csv
from engine_books.truth import right_book
from fillproof_command import fillproof

SESSION = "random_2"


@pytest.fixture
def right(tmp_path: Path) -> Path:
    [path] = generic_csv(tmp_path / "right.csv", right_book(SESSION, seed=1))
    return path


def test_the_example_shows_the_position_first_and_ends_with_how_to_ask_why() -> None:
    ended = fillproof("compare", "--example")
    assert ended.returncode == 1, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines[0] == "The book differs from the ledger: 17 findings."
    assert next(line for line in lines if "book less ledger" in line).startswith("Position")
    assert "explain" in lines[-1].split()  # a path with a space stands in quotes before it
    assert len(lines) < 80


def test_json_prints_one_line_a_finding_with_the_same_ids_each_time() -> None:
    first, second = (fillproof("compare", "--example", "--json") for _ in range(2))
    found = [json.loads(line) for line in first.stdout.splitlines()]
    assert len({one["id"] for one in found}) == len(found) == 17
    assert first.stdout == second.stdout
    assert "Position" in first.stderr


def test_a_right_book_agrees(right: Path) -> None:
    ended = fillproof("compare", right, "--complete", "--session", SESSION)
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (0, "The book agrees with the ledger.")


def test_a_part_that_could_not_be_checked_has_a_status_of_its_own(right: Path) -> None:
    lines = right.read_text().splitlines()
    cells = next(line for line in lines if line.startswith("order")).split(",")
    cells[2], cells[3], cells[10] = "4000000", "F" * 64, "2031-01-01T00:00:00+00:00"
    right.write_text("\n".join([*lines, ",".join(cells)]))
    ended = fillproof("compare", right, "--session", SESSION)
    assert ended.returncode == 3, ended.stdout
    assert "Not checked: 1 x order: it is newer than the ledgers read" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "expected the file of a book"),
        (("none.csv", "--session", SESSION), "No such file"),
        (("BOOK",), "expected where to read the ledger"),
        (("BOOK", "--session", "no_such"), "no_such"),
        (("BOOK", "--session", SESSION, "--pair", "XRP"), "expected a pair"),
        (("BOOK", "--session", SESSION, "--issuer", "USD"), "expected an issuer as USD=rIssuer"),
        (("BOOK", "--session", SESSION, "--tz", "Mars"), "expected a time zone"),
        (("BOOK", "--example"), "--example alone"),
    ],
)
def test_bad_input_is_said_in_one_line(arguments: tuple[str, ...], said: str, right: Path) -> None:
    ended = fillproof("compare", *(right if one == "BOOK" else one for one in arguments))
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_was_recognised_is_a_mapping_file_that_reads_the_book_again(right: Path, tmp_path: Path) -> None:
    described = fillproof("compare", right, "--describe")
    assert described.returncode == 0
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(described.stdout.partition("As a mapping file:\n")[2])
    ended = fillproof("compare", right, "--mapping", mapping, "--session", SESSION, "--complete")
    assert ended.returncode == 0, ended.stderr
