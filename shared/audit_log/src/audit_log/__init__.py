"""The audit log's proofs: signed checkpoints of its chain, and that a row is in it. Pure.

- `Checkpoint` is signed by the audit writer and read by whoever verifies: `read_checkpoint`.
- `Frontier` grows the Merkle tree over the chain's batches; `inclusion_spans`, `consistency_spans` and
  `hashes_of` make the paths of a proof.
- `Retention` and `Failover` are acts of an operator: `sign_act`, `read_act`.
- `RowProof` shows one row to somebody who has checkpoints alone: `check_row`, `python -m audit_log check`.

docs/audit-log.md has the formats and what they prove.
"""

from audit_log.acts import Act, Failover, Retention, due_before, read_act, sign_act
from audit_log.batch import EPOCH, START, Batch, Moment, digest_of, microseconds
from audit_log.checkpoint import Checkpoint, read_checkpoint, written_time
from audit_log.errors import Refused
from audit_log.merkle_tree import Frontier, Span, consistency_spans, hashes_of, inclusion_spans
from audit_log.row_proof import (
    CheckedRow,
    Consistency,
    RowProof,
    batch_rows,
    check_row,
    row_lines,
    write_row_proof,
)
from audit_log.signed_note import (
    SigningKey,
    VerifierKey,
    read_signing_key,
    read_verifier_key,
    write_signing_key,
)

__all__ = [
    "EPOCH",
    "START",
    "Act",
    "Batch",
    "CheckedRow",
    "Checkpoint",
    "Consistency",
    "Failover",
    "Frontier",
    "Moment",
    "Refused",
    "Retention",
    "RowProof",
    "SigningKey",
    "Span",
    "VerifierKey",
    "batch_rows",
    "check_row",
    "consistency_spans",
    "digest_of",
    "due_before",
    "hashes_of",
    "inclusion_spans",
    "microseconds",
    "read_act",
    "read_checkpoint",
    "read_signing_key",
    "read_verifier_key",
    "row_lines",
    "sign_act",
    "write_row_proof",
    "write_signing_key",
    "written_time",
]
