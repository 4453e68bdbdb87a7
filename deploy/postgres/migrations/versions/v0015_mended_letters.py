"""Dead letters that were mended and sent again, and who did that.

Additive: one table, its trigger, rights for the operator.
"""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"

STATEMENTS = (
    "mended_letter",
    "keep_mended_letter",
    "keep_mended_letter_trigger",
    "keep_functions_to_the_owner",
    "grant_to_operator",
)
"""One statement a file, in the folder named like this module."""


def upgrade() -> None:
    """Run the statements."""
    for name in STATEMENTS:
        op.execute(Path(__file__).with_suffix("").joinpath(f"{name}.sql").read_text())
