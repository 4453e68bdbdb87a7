"""What `fillproof compare --store` found in engines' books.

Additive: one table, one view, rights for the operator and the reader.
"""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = ("book_finding", "dashboard_book_finding", "grant_to_operator", "grant_view_to_reader")
"""One statement a file, in the folder named like this module."""


def upgrade() -> None:
    """Run the statements."""
    for name in STATEMENTS:
        op.execute(Path(__file__).with_suffix("").joinpath(f"{name}.sql").read_text())
