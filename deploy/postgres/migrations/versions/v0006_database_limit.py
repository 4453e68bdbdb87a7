"""What the database may take on disk, so that somebody is told before it is full.

Additive: a table of one row, and a column more in the view that shows the size.
"""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = ("database_limit", "database_limit_default", "dashboard_database_size")
"""One statement a file, in the folder named like this module."""


def upgrade() -> None:
    """Run the statements."""
    for name in STATEMENTS:
        op.execute(Path(__file__).with_suffix("").joinpath(f"{name}.sql").read_text())
