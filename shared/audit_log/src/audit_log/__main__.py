"""`python -m audit_log check FILE`: the check of a row's proof as a command that needs this package alone."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from audit_log.errors import Refused
from audit_log.row_proof import check_row, row_lines
from audit_log.signed_note import read_signing_key, read_verifier_key

REFUSED = 1
BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a row's proof, or print the public key of a private one; return the exit status."""
    named = _parser().parse_args(arguments)
    try:
        if named.command == "verifier-key":
            sys.stdout.write(f"{read_signing_key(named.file.read_text()).verifier}\n")
            return 0
        keys = [read_verifier_key(written) for written in named.key]
        held = [path.read_text() for path in named.held]
        document = named.file.read_bytes()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"audit_log: {error}\n")
        return BAD_INPUT
    try:
        row = check_row(document, keys, held)
    except Refused as error:
        sys.stdout.write(f"REFUSED: {error}\n")
        return REFUSED
    sys.stdout.write("\n".join((*row_lines(row), "")))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit_log", description="Proofs of the audit log.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check",
        help="check that a row is in the log, offline",
        epilog="Exit status: 0 it is; 1 refused; 2 bad input.",
    )
    check.add_argument("file", type=Path, metavar="FILE", help="as `fillproof verify --row` writes it")
    check.add_argument(
        "--key",
        action="append",
        required=True,
        metavar="KEY",
        help="the log's public key, NAME+HASH+KEY",
    )
    check.add_argument(
        "--held", action="append", default=[], type=Path, metavar="FILE", help="a checkpoint that you have"
    )
    shown = commands.add_parser("verifier-key", help="print the public key of a private one")
    shown.add_argument("file", type=Path, metavar="FILE", help="a signing key, PRIVATE+KEY+...")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
