"""The check of a proof, whichever of the two formats it has."""

from ledger_proof.life_check import check_life_proof
from ledger_proof.life_document import FORMAT
from ledger_proof.trust import ProofReport, TrustPolicy
from ledger_proof.xls41 import check_xls41

_OF_XLS41 = b'"validation"'
"""A member that every XLS-41 file has, and no life proof."""


def check_proof(document: bytes, policy: TrustPolicy | None = None) -> ProofReport:
    """Check a life proof or an XLS-41 file by its bytes alone; every failure is told in the report.

    `policy`: whom the reader trusts; without one, the known publishers of mainnet's lists.
    """
    policy = policy or TrustPolicy()
    if _OF_XLS41 in document and FORMAT.encode() not in document:
        return check_xls41(document, policy)
    return check_life_proof(document, policy)
