"""What proves a ledger, a transaction in it and an order's whole life, and the check of such a proof.

Pure: no I/O, no clock, no randomness; only the command `python -m ledger_proof` reads files. The entry
points, in the order in which a reader needs them:

- `prove_ledger`, `prove_blobs`: a whole ledger, proven by its bytes; `ProvenLedger.transactions` decodes
  those of followed accounts (`OwnerSearch`) as the kernel reads them.
- `confirm_ledger`: how many of a publisher's validators signed for a ledger. `CheckedValidations` keeps
  what the stream of validations brings, and counts it.
- `steps_in`, `assemble_life_proof`, `write_document`: the file that proves an order's life.
- `check_proof`: the check of such a file, told step by step, and of an XLS-41 file, the network's own
  format, for one transaction. `read_trust` reads whom the reader trusts from a command's options;
  `step_text`, `end_lines`, `report_json` and `EXIT_STATUS` tell the report.
- `write_xls41` writes such a file, with the transaction's path (`list_form`) or its ledger's whole
  tree (`tree_form`).

Every failure is an `Unproven`: of what, what was expected, what was found.
"""

from ledger_proof.base58 import account_address, account_bytes, checked_content
from ledger_proof.checked_validations import CheckedValidations
from ledger_proof.confirmation import Confirmation, confirm_ledger
from ledger_proof.errors import MalformedBlob, Unproven
from ledger_proof.header import LedgerHeader, read_header
from ledger_proof.life_assembly import ProvenStep, assemble_life_proof, read_step, steps_in
from ledger_proof.life_document import LifeProof, path_bytes, read_document, write_document
from ledger_proof.life_verdict import OrderVerdict
from ledger_proof.manifests import Manifest, read_manifest
from ledger_proof.owners import OwnerSearch
from ledger_proof.proof_check import check_proof
from ledger_proof.told_report import EXIT_STATUS, end_lines, report_json, step_text
from ledger_proof.trust import ProofEnd, ProofReport, TrustPolicy, TrustStep
from ledger_proof.trust_options import read_trust
from ledger_proof.validations import Validation, read_validation
from ledger_proof.validator_lists import (
    KNOWN_PUBLISHERS,
    SignedList,
    ValidatorList,
    check_list,
    list_in_force,
    read_list_document,
)
from ledger_proof.whole_ledger import BlobLedger, BlobRow, ProvenLedger, prove_blobs, prove_ledger
from ledger_proof.xls41_writing import list_form, tree_form, write_xls41

__all__ = [
    "EXIT_STATUS",
    "KNOWN_PUBLISHERS",
    "BlobLedger",
    "BlobRow",
    "CheckedValidations",
    "Confirmation",
    "LedgerHeader",
    "LifeProof",
    "MalformedBlob",
    "Manifest",
    "OrderVerdict",
    "OwnerSearch",
    "ProofEnd",
    "ProofReport",
    "ProvenLedger",
    "ProvenStep",
    "SignedList",
    "TrustPolicy",
    "TrustStep",
    "Unproven",
    "Validation",
    "ValidatorList",
    "account_address",
    "account_bytes",
    "assemble_life_proof",
    "check_list",
    "check_proof",
    "checked_content",
    "confirm_ledger",
    "end_lines",
    "list_form",
    "list_in_force",
    "path_bytes",
    "prove_blobs",
    "prove_ledger",
    "read_document",
    "read_header",
    "read_list_document",
    "read_manifest",
    "read_step",
    "read_trust",
    "read_validation",
    "report_json",
    "step_text",
    "steps_in",
    "tree_form",
    "write_document",
    "write_xls41",
]
