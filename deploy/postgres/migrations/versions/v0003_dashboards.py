"""What dashboards and alerts read, and acknowledgements of anomalies.

Additive: one table, one index, views. `dashboard.open_anomaly` counts no more what somebody has
acknowledged or what a later event explains, and `dashboard.order_state` no event that is about no order.
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "anomaly_acknowledgement",
    "keep_acknowledgement",
    "keep_acknowledgement_trigger",
    "keep_functions_to_the_owner",
    "order_event_of_no_order",
    "dashboard_order_state",
    "dashboard_event",
    "dashboard_order_end",
    "dashboard_disappearance",
    "dashboard_answered_anomaly",
    "dashboard_open_anomaly",
    "dashboard_anomaly",
    "dashboard_session_fill",
    "dashboard_balance_drift",
    "dashboard_halt",
    "dashboard_history_gap",
    "dashboard_database_size",
    "operator",
    "grant_to_operator",
    "grant_views_to_reader",
)
"""One statement a file, in the folder named like this module."""


def upgrade() -> None:
    """Run the statements."""
    for name in STATEMENTS:
        op.execute(Path(__file__).with_suffix("").joinpath(f"{name}.sql").read_text())
