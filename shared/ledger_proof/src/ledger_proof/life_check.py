"""The check of a life proof: everything is computed again, and told as a chain of trust, step by step.

The chain ends at the first step that does not hold. Nothing that a file says of itself is believed: the
index of the order's entry, every hash, every figure and the cause of the end are computed from proven bytes.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from ledger_proof.anchor_check import AnchorCheck
from ledger_proof.base58 import account_bytes
from ledger_proof.binary.transactions import decode_transaction
from ledger_proof.errors import Unproven
from ledger_proof.header import LedgerHeader, read_header
from ledger_proof.life_chain import TouchingTransaction, check_chain, entry_of, read_touching
from ledger_proof.life_document import LifeProof, Run, Step, read_document, read_headers, read_path
from ledger_proof.life_verdict import OrderVerdict, judge_life
from ledger_proof.manifests import Manifest, read_manifest
from ledger_proof.strict_json import from_base64
from ledger_proof.transaction_tree import leaf, root_of_path
from ledger_proof.trust import ProofEnd, ProofReport, TrustChain, TrustPolicy
from ledger_proof.validations import read_validation
from offer_lifecycle import Transaction

Headers = Mapping[int, LedgerHeader]
"""By ledger index."""


def check_life_proof(document: bytes, policy: TrustPolicy) -> ProofReport:
    """Check a life proof by its bytes alone; every failure is told in the report."""
    chain = TrustChain()
    try:
        return _check(read_document(document), policy, chain)
    except Unproven as failure:
        chain.failed(failure)
        return ProofReport(end=ProofEnd.REFUSED, chain=tuple(chain.steps))


def _check(proof: LifeProof, policy: TrustPolicy, chain: TrustChain) -> ProofReport:
    account = account_bytes(proof.account)
    entry = entry_of(account, proof.sequence)
    found = f"order {proof.sequence} of {proof.account}, entry {entry}"
    chain.passed("file", expected="a life proof", found=found)
    anchors = AnchorCheck(proof.lists, policy, chain, _checked_manifests(proof))
    headers: dict[int, LedgerHeader] = {}
    for run in proof.runs:
        own = _check_headers(run, max(headers, default=0), chain)
        headers |= {header.ledger_index: header for header in own}
        validations = [read_validation(from_base64("validation", text)) for text in run.validations]
        anchors.confirm(validations, own[-1], votes_only=True)
    anchors.check_hashes()
    _check_use(proof, headers)
    touching, transactions = _check_steps(proof, headers, entry, chain)
    closed = check_chain(touching, account, proof.sequence)
    chain.passed(
        "chain of PreviousTxnID",
        expected="every change of the entry, from its own transaction on",
        found=f"{len(touching)} transactions{', the last one ends it' if closed else ''}",
    )
    anchor = headers[max(headers)]
    try:
        verdict = judge_life(proof, transactions, headers, anchor, policy.reserves)
    except (ArithmeticError, ValueError) as error:  # no ledger that follows the protocol holds such
        raise Unproven("verdict", expected="metadata that the kernel can judge", found=str(error)) from error
    chain.passed("verdict", expected="the kernel's, from these bytes", found=_told(verdict, touching[0]))
    return ProofReport(
        end=anchors.end(ProofEnd.PROVED_CLOSED if closed else ProofEnd.PROVED_UNTIL),
        chain=tuple(chain.steps),
        account=proof.account,
        sequence=proof.sequence,
        closed=closed,
        last_ledger_index=touching[-1].ledger_index,
        anchors=anchors.anchors,
        confirmations=tuple(anchors.confirmations),
        verdict=verdict,
    )


def _checked_manifests(proof: LifeProof) -> list[Manifest]:
    manifests = [read_manifest(from_base64("manifest", text)) for text in proof.manifests]
    for manifest in manifests:
        manifest.check()
    return manifests


def _check_headers(run: Run, after: int, chain: TrustChain) -> list[LedgerHeader]:
    headers = [read_header(header) for header in read_headers(run.headers)]
    first, last = headers[0].ledger_index, headers[-1].ledger_index
    if first <= after:
        raise Unproven("headers", expected=f"ledgers after {after}", found=f"ledger {first}")
    for before, header in pairwise(headers):
        _check_follows(before, header)
    found = f"{len(headers)} in one chain"
    chain.passed(f"headers {first} to {last}", expected="each names the one before", found=found)
    return headers


def _check_follows(before: LedgerHeader, header: LedgerHeader) -> None:
    expected = before.ledger_index + 1, before.ledger_hash.hex().upper(), before.close_time
    found = header.ledger_index, header.parent_hash.hex().upper(), header.parent_close_time
    if expected != found:
        raise Unproven(f"header {found[0]}", expected=f"index and parent {expected}", found=f"{found}")


def _check_use(proof: LifeProof, headers: Headers) -> None:
    """Refuse a proof with a step that has no header, or a run that begins at no step."""
    wanted = {step.ledger_index for step in proof.steps}
    missing = sorted(wanted - set(headers))
    if missing or not proof.steps:
        raise Unproven("steps", expected="some, with a header for each", found=f"none for {missing[:5]}")
    for run in proof.runs:
        first = read_header(read_headers(run.headers)[0]).ledger_index
        if first not in wanted:
            raise Unproven("headers", expected="runs that begin at a step", found=f"one at ledger {first}")


def _check_steps(
    proof: LifeProof, headers: Headers, entry: str, chain: TrustChain
) -> tuple[Sequence[TouchingTransaction], Sequence[Transaction]]:
    touching, transactions = [], []
    for number, step in enumerate(proof.steps, start=1):
        name, blob, metadata = _prove_step(number, step, headers[step.ledger_index])
        one = read_touching(name, blob, metadata, ledger_index=step.ledger_index, entry=entry)
        chain.passed(
            f"step {number}: {one.type} {one.hash}",
            expected=f"in the tree of ledger {step.ledger_index}",
            found=f"{one.result}, {one.kind or 'no node'} of the order's entry",
        )
        touching.append(one)
        transactions.append(decode_transaction(name, blob, metadata, ledger_index=step.ledger_index))
    return touching, transactions


def _prove_step(number: int, step: Step, header: LedgerHeader) -> tuple[bytes, bytes, bytes]:
    blob, metadata = from_base64("transaction", step.transaction), from_base64("metadata", step.metadata)
    name, own = leaf(blob, metadata)
    root = root_of_path(read_path(step.path, name, own), name, own)
    if root != header.transaction_root:
        raise Unproven(
            f"step {number}, transaction {name.hex().upper()}",
            expected=f"root {header.transaction_root.hex().upper()} of ledger {header.ledger_index}",
            found=root.hex().upper(),
        )
    return name, blob, metadata


def _told(verdict: OrderVerdict, first: TouchingTransaction) -> str:
    order = verdict.order
    if order is None:
        return f"{first.type} {first.result} used the sequence: it never was an order"
    reason = f" {order.removal_reason}" if order.removal_reason else ""
    return f"{order.status}{reason}, gave {order.gave}, got {order.got}"
