"""`fillproof prove`: a file that proves an order's life to anybody, years later, without any server."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from console.asking import checked_address, named_server
from console.check import ValidatorLists, read_lists
from console.ending import FAILED, explained, refuse
from console.errors import BadOption
from console.extras import require_extra
from console.fitting import print_sentence
from console.kept_votes import KeptVotes, read_kept_votes
from console.life_evidence import LifeEvidence, Watch, gather_evidence
from console.options import Address, OrderSequence
from console.progress import Progress
from console.tables import printable, screen
from ledger_client import LedgerServer
from ledger_proof import (
    ProofEnd,
    ProvenStep,
    TrustPolicy,
    Unproven,
    ValidatorList,
    account_bytes,
    assemble_life_proof,
    check_proof,
    confirm_ledger,
    end_lines,
    list_form,
    read_header,
    tree_form,
    write_document,
    write_xls41,
)


def prove_command(  # noqa: PLR0913 - one parameter for each option
    address: Address,
    sequence: OrderSequence,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file to write; with --xpop the directory.")
    ],
    xrpl: Annotated[
        str | None, typer.Option(help="A node: http(s)://..., ws(s)://... or @FILE with one")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="The audit database instead: postgresql://... of the owner or an operator."),
    ] = None,
    session: Annotated[
        str | None, typer.Option(help="A recorded session instead: a path or a name, as `replay` takes.")
    ] = None,
    validators: ValidatorLists = None,
    validations: Annotated[
        Path | None,
        typer.Option(help="Messages of the streams validations and manifests as they came, one a line."),
    ] = None,
    xpop: Annotated[
        bool, typer.Option("--xpop", help="Write each transaction as an XLS-41 file instead.")
    ] = False,
    tree: Annotated[bool, typer.Option("--tree", help="With --xpop: in the form of a tree.")] = False,
) -> None:
    """Write the evidence of what happened to order SEQUENCE of ADDRESS, for `fillproof check`.

    Without kept validations, and the list that was in force, all in the file
    hangs on the hash of a ledger, which the reader can look up anywhere. The
    audit database has both, and needs no server.

    Exit status: 0 written; 1 the node can't be used, or what it has proves
    nothing; 2 bad input, or no node answers; 5 the node lacks history.

    Example: fillproof prove rfxmebQ8cESn2JoSoNV6eELtUzndoSjos6 55 --session canceled_elsewhere -o 55.proof
    """
    if tree and not xpop:
        refuse("expected --tree with --xpop: a life proof has one form")
    with explained():
        account = checked_address(address)
        lists = read_lists(validators or [])
        if database is not None:
            evidence, votes = _kept(database, account, sequence, lists, others=(xrpl, session, validations))
        else:
            if (validations is None) != (not lists):
                raise BadOption(
                    "expected --validators and --validations together: whose votes count, and the votes"
                )
            votes = read_kept_votes(validations, lists)
            server = named_server(xrpl, session)
            progress = Progress(screen(stderr=True))
            evidence = asyncio.run(_gathered(server, account, sequence, votes, progress))
        if xpop:
            _write_xls41_files(output, evidence, votes, tree=tree)
        else:
            _write_life_proof(output, account, sequence, evidence, votes)


def _kept(
    database: str,
    account: str,
    sequence: int,
    lists: Sequence[ValidatorList],
    *,
    others: Sequence[object],
) -> tuple[LifeEvidence, KeptVotes]:
    """Return what the audit database keeps; `others`: sources that must not be named beside it."""
    if any(other is not None for other in others):
        raise BadOption("expected --database alone: the database has the transactions and the votes")
    require_extra("database", command="prove --database")
    from console.kept_proofs import kept_life_in  # noqa: PLC0415 - the extra's

    try:
        kept = asyncio.run(kept_life_in(database, account, sequence, lists))
    except Unproven as error:
        refuse(f"nothing was written: {error}", status=FAILED)
    return kept.evidence, kept.votes


async def _gathered(
    server: LedgerServer, account: str, sequence: int, votes: KeptVotes, watch: Watch
) -> LifeEvidence:
    try:
        return await gather_evidence(server, account, sequence, votes, watch)
    finally:
        await server.close()


def _write_life_proof(
    output: Path, account: str, sequence: int, evidence: LifeEvidence, votes: KeptVotes
) -> None:
    """Write the file and say what it proves, by a check that trusts the publishers of the lists."""
    signed = bool(votes.lists) and any(evidence.anchors.values())
    try:
        proof = assemble_life_proof(
            account=account_bytes(account),
            sequence=sequence,
            steps=evidence.steps,
            headers=evidence.headers,
            validations=evidence.anchors,
            lists=[one.published for one in votes.lists] if signed else [],
            manifests=[one.signed.blob for one in votes.manifests] if signed else [],
        )
    except Unproven as error:
        refuse(f"nothing was written: {error}", status=FAILED)
    document = write_document(proof)
    publishers = [one.publisher.hex().upper() for one in votes.lists]
    report = check_proof(document, TrustPolicy(publishers=publishers))
    if report.end is ProofEnd.REFUSED:
        failed = report.chain[-1]
        found = f"{failed.what}: expected {failed.expected}, found {failed.found}"
        refuse(f"nothing was written, as what there is proves nothing: {found}", status=FAILED)
    _write(output, document)
    console = screen()
    size = f"{len(evidence.steps)} transactions, {len(evidence.headers)} headers, {len(document):,} bytes"
    for line in (f"{output}: {size}", *end_lines(report)):
        print_sentence(console, printable(line))


def _write_xls41_files(directory: Path, evidence: LifeEvidence, votes: KeptVotes, *, tree: bool) -> None:
    """Write a file for each transaction whose own ledger has kept votes, and name the others."""
    console = screen()
    written = 0
    for step in evidence.steps:
        name, index = step.touching.hash, step.touching.ledger_index
        document = _xls41_file(step, evidence, votes, tree=tree)
        if document is None:
            unproven = f"not proved: transaction {name}: no quorum was kept for its ledger {index}"
            print_sentence(console, unproven)
            continue
        directory.mkdir(parents=True, exist_ok=True)
        _write(directory / f"{name}.json", document)
        print_sentence(console, f"{directory / name}.json: {step.touching.type} of ledger {index}")
        written += 1
    if not written:
        refuse(
            "expected validations of the ledgers of the order's transactions, found none that are enough: an "
            "XLS-41 file holds its own ledger's; a life proof needs those of any later one",
            status=FAILED,
        )


def _xls41_file(step: ProvenStep, evidence: LifeEvidence, votes: KeptVotes, *, tree: bool) -> bytes | None:
    """Return the file of a transaction; None: no list confirms its ledger by the kept validations."""
    header = read_header(evidence.headers[step.touching.ledger_index])
    ledger = evidence.ledgers.get(step.touching.ledger_index)
    if tree and ledger is None:
        raise BadOption("expected a node for --tree: the database keeps the paths, and not whole ledgers")
    validations = votes.validations.get(step.touching.ledger_index, ())
    for one in votes.lists:
        if not one.in_force(header.close_time):
            continue
        counted = confirm_ledger(header, validations, one)
        if counted.confirmed:
            return write_xls41(
                header=header,
                transaction=step.transaction,
                metadata=step.metadata,
                proof=tree_form(ledger.leaves) if tree and ledger else list_form(step.path, step.name),
                validations=[
                    validation.signed.blob
                    for validation in validations
                    if validation.signing_key in counted.signers
                ],
                validators=one.published,
            )
    return None


def _write(path: Path, document: bytes) -> None:
    try:
        path.write_bytes(document)
    except OSError as error:
        raise BadOption(f"expected a file that can be written, found {path}: {error.strerror}") from error
