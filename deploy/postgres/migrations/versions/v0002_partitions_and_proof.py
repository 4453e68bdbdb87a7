"""Events by month, a chain of digests over everything that is stored, and tighter roles.

Every row is kept: the events of the unpartitioned table move into months of their own and are the chain's
first batches. An anomaly log made by hand becomes what one made by a migration is. Writers that run
meanwhile wait, and go on with the new tables.
"""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    "drop_anomaly_view",
    "settle_anomaly_log",
    "dashboard_open_anomaly",
    "set_old_table_aside",
    "set_old_key_aside",
    "set_old_index_aside",
    "order_event",
    "order_event_default",
    "order_event_occurred_at",
    "order_event_order",
    "event_name",
    "claim_event_name",
    "claim_event_name_trigger",
    "batch_digest",
    "batch_digest_storage",
    "chain_head",
    "chain_head_start",
    "unproven_anomaly",
    "unproven_anomaly_found",
    "append_link",
    "chain_batch",
    "chain_batch_trigger",
    "ensure_partitions",
    "drop_partitions",
    "keep_functions_to_the_owner",
    "move_rows",
    "drop_old_view",
    "drop_old_table",
    "dashboard_order_state",
    "dashboard_chain_head",
    "grant_tables_to_writer",
    "grant_views_to_reader",
    "forbid_objects",
    "reader_limits",
)
"""One statement a file, in the folder named like this module."""


def upgrade() -> None:
    """Run the statements."""
    for name in STATEMENTS:
        op.execute(Path(__file__).with_suffix("").joinpath(f"{name}.sql").read_text())
