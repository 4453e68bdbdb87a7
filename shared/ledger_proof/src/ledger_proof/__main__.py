"""`python -m ledger_proof FILE`: the check of a proof as a command that needs this package alone."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ledger_proof.errors import Unproven
from ledger_proof.proof_check import check_proof
from ledger_proof.told_report import EXIT_STATUS, end_lines, report_json, step_text
from ledger_proof.trust_options import read_trust

_BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a file and print the chain of trust; return the exit status."""
    named = _parser().parse_args(arguments)
    try:
        document = named.file.read_bytes()
        policy = read_trust(
            publishers=named.publisher,
            publishers_needed=named.publishers_needed,
            list_documents=[path.read_bytes() for path in named.validators],
            ledger_hashes=named.ledger_hash,
            reserves=named.reserves and tuple(named.reserves),
        )
    except (OSError, Unproven) as error:
        sys.stderr.write(f"ledger_proof: {error}\n")
        return _BAD_INPUT
    report = check_proof(document, policy)
    if named.json:
        sys.stdout.write(report_json(report).decode() + "\n")
    else:
        for line in (*map(step_text, report.chain), *end_lines(report)):
            sys.stdout.write("".join(char if char.isprintable() else "?" for char in line) + "\n")
    return EXIT_STATUS[report.end]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ledger_proof",
        description="Check a proof of an order's life, or an XLS-41 file: offline, by its bytes alone.",
        epilog="Exit status: 0 proved; 1 refused; 2 bad input; 3 proved until a ledger, later unknown; "
        "4 not enough votes; 5 all hangs on a ledger hash.",
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--publisher", action="append", default=[], metavar="KEY", help="a publisher's master key"
    )
    parser.add_argument("--publishers-needed", type=int, default=1, metavar="N", help="how many must agree")
    parser.add_argument(
        "--validators", action="append", default=[], type=Path, metavar="LIST", help="a kept published list"
    )
    parser.add_argument(
        "--ledger-hash", action="append", default=[], metavar="HASH", help="a ledger's hash, looked up"
    )
    parser.add_argument(
        "--reserves", nargs=2, type=int, metavar=("BASE", "INCREMENT"), help="of another network, in drops"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
