"""`fillproof check`: a proof is checked offline, by its bytes alone; the check itself is ledger_proof's."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from console.ending import explained
from console.errors import BadOption
from console.fitting import print_sentence
from console.tables import printable, screen
from ledger_proof import (
    EXIT_STATUS,
    ProofReport,
    TrustPolicy,
    Unproven,
    ValidatorList,
    check_list,
    check_proof,
    end_lines,
    read_list_document,
    read_trust,
    report_json,
    step_text,
)

Publishers = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY", help="A list publisher's master key, in hexadecimal; may be repeated."),
]
ValidatorLists = Annotated[
    list[Path] | None,
    typer.Option(metavar="LIST", help="A validator list as its publisher serves it; may be repeated."),
]


def check_command(  # noqa: PLR0913 - one parameter for each option
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A life proof, or an XLS-41 file.")],
    *,
    publisher: Publishers = None,
    publishers_needed: Annotated[
        int, typer.Option(min=1, help="How many publishers must agree, each by a list of its own.")
    ] = 1,
    validators: ValidatorLists = None,
    ledger_hash: Annotated[
        list[str] | None,
        typer.Option(metavar="HASH", help="A ledger's hash that you have looked up; may be repeated."),
    ] = None,
    reserves: Annotated[
        tuple[int, int] | None,
        typer.Option(metavar="BASE INCREMENT", help="The network's reserves in drops; by default mainnet's."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")
    ] = False,
) -> None:
    """Check the proof in FILE, offline, and print the chain of trust step by step.

    Without --publisher the known publishers of mainnet's lists are trusted.
    `python -m ledger_proof` is the same check, with nothing else installed.

    Exit status: 0 the order's whole life is proved, or an XLS-41 file's
    transaction; 1 refused; 2 bad input; 3 proved until a ledger, and what came
    later is not known; 4 not enough votes; 5 all hangs on a ledger hash.

    Example: fillproof check order.proof
    """
    with explained():
        try:
            policy = read_trust(
                publishers=publisher or [],
                publishers_needed=publishers_needed,
                list_documents=[_bytes_of(path) for path in validators or []],
                ledger_hashes=ledger_hash or [],
                reserves=reserves,
            )
        except Unproven as error:
            raise BadOption(str(error)) from error
        report = check_proof(_bytes_of(file), policy)
    if as_json:
        sys.stdout.write(report_json(report).decode() + "\n")
    else:
        show_report(report)
    if status := EXIT_STATUS[report.end]:
        raise typer.Exit(status)


def read_policy(publishers: list[str]) -> TrustPolicy:
    """Return whom the reader trusts; without publishers mainnet's known ones.

    Raises:
        BadOption: if a key is none.

    """
    try:
        return read_trust(publishers=publishers)
    except Unproven as error:
        raise BadOption(str(error)) from error


def read_lists(paths: list[Path]) -> list[ValidatorList]:
    """Return the lists of published documents.

    Raises:
        BadOption: if one can't be read, or a signature of it does not hold.

    """
    try:
        return [check_list(one) for path in paths for one in read_list_document(_bytes_of(path))]
    except Unproven as error:
        raise BadOption(str(error)) from error


def show_report(report: ProofReport) -> None:
    """Print the chain of trust and what it proves."""
    console = screen()
    for step in report.chain:
        style = "green" if step.ok else "bold red"
        print_sentence(console, printable(step_text(step)), style)
    for line in end_lines(report):
        print_sentence(console, printable(line))


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadOption(f"expected a readable file, found {path}: {error.strerror}") from error
