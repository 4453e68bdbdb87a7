"""Version 2 of `order.corrected` says `correction` where version 1 said `stands`: the view reads both.

Additive: a view is made again with the same columns.
"""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = ("dashboard_answered_anomaly",)
"""One statement a file, in the folder named like this module."""


def upgrade() -> None:
    """Run the statements."""
    for name in STATEMENTS:
        op.execute(Path(__file__).with_suffix("").joinpath(f"{name}.sql").read_text())
