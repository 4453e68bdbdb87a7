"""Which messages of a stream are stored, so that one that is lost before it was stored is noticed.

Additive: two tables, two views, one function.
"""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0011"

STATEMENTS = (
    "stream_range",
    "stream_watch",
    "missing_sequence",
    "watch_stream",
    "keep_functions_to_the_owner",
    "grant_to_writer",
    "dashboard_missing_sequence",
    "grant_view_to_reader",
)
"""One statement a file, in the folder named like this module."""


def upgrade() -> None:
    """Run the statements."""
    for name in STATEMENTS:
        op.execute(Path(__file__).with_suffix("").joinpath(f"{name}.sql").read_text())
