"""What proves the ledgers: the proofs of stream PROOFS, and the lists of validators in force.

Additive: four tables, rights for the audit writer and for operators.
"""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0009"

STATEMENTS = (
    "ledger_proof",
    "ledger_proof_hash",
    "ledger_proof_time",
    "proven_transaction",
    "proven_transaction_time",
    "proven_order",
    "proven_order_time",
    "validator_list",
    "grant_to_writer",
    "grant_to_operator",
)
"""One statement a file, in the folder named like this module."""


def upgrade() -> None:
    """Run the statements."""
    for name in STATEMENTS:
        op.execute(Path(__file__).with_suffix("").joinpath(f"{name}.sql").read_text())
