"""The audit tables, the dashboard's views, and the roles that may write and read.

Additive: nothing that exists is changed or dropped. A `reconciler_anomaly_log` made by hand keeps its
rows and its column types; it is only given the columns and the keys that it lacks.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    "roles",
    "order_event",
    "order_event_occurred_at",
    "fill",
    "reconciler_anomaly_log",
    "reconciler_anomaly_log_columns",
    "reconciler_anomaly_log_key",
    "reconciler_anomaly_log_session",
    "reconciler_anomaly_log_action",
    "dashboard",
    "dashboard_open_anomaly",
    "dashboard_order_fill",
    "dashboard_order_state",
    "grant_schema_to_writer",
    "grant_tables_to_writer",
    "grant_schema_to_reader",
    "grant_views_to_reader",
)
"""One statement a file, in the folder named like this module."""


def upgrade() -> None:
    """Run the statements."""
    for name in STATEMENTS:
        op.execute(Path(__file__).with_suffix("").joinpath(f"{name}.sql").read_text())
