"""Acts of operators in the chain, digests for who signs checkpoints, limits that the reader can't lift.

Additive, but for one function: retention takes a signed act now (`drop_months`), so a `maintain` of an
earlier version that drops months ends with an error and drops nothing.
"""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    "batch_digest_act",
    "batch_digest_comment",
    "append_act",
    "drop_old_retention",
    "due_months",
    "drop_months",
    "grant_chain_to_writer",
    "reader_limits",
    "end_reader_sessions",
    "forbid_large_objects",
    "keep_functions_to_the_owner",
    "grant_functions_to_writer",
)
"""One statement a file, in the folder named like this module."""


def upgrade() -> None:
    """Run the statements."""
    for name in STATEMENTS:
        op.execute(Path(__file__).with_suffix("").joinpath(f"{name}.sql").read_text())
