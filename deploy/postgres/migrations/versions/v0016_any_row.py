"""Views that show every row that may be there: what can't be read of a payload is null, and no view fails.

Additive: six functions; the views keep their columns. An idle transaction of the reader is ended sooner.
"""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"

STATEMENTS = (
    "is_readable",
    "readable",
    "number",
    "ledger_number",
    "truth",
    "agrees",
    "keep_functions_to_the_owner",
    "ensure_partitions",
    "end_reader_sessions",
    "dashboard_answered_anomaly",
    "dashboard_order_state",
    "dashboard_disappearance",
    "dashboard_order_end",
    "dashboard_session_fill",
    "dashboard_balance_drift",
    "dashboard_halt",
    "dashboard_history_gap",
)
"""One statement a file, in the folder named like this module."""


def upgrade() -> None:
    """Run the statements."""
    for name in STATEMENTS:
        op.execute(Path(__file__).with_suffix("").joinpath(f"{name}.sql").read_text())
