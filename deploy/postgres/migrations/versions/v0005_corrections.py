"""Corrections: what they answer, and that an order stands where the last of them says.

Additive: two views are made again with the same columns.
"""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0003"

STATEMENTS = ("dashboard_order_state", "dashboard_answered_anomaly")
"""One statement a file, in the folder named like this module."""


def upgrade() -> None:
    """Run the statements."""
    for name in STATEMENTS:
        op.execute(Path(__file__).with_suffix("").joinpath(f"{name}.sql").read_text())
