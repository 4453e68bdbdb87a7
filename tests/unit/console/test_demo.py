"""What `make demo` prints beside its answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from grafana_files import DASHBOARDS, dashboard

from console.demo import orders_dashboard
from console.replay import steps
from console.sessions import SELECTION, find_session


def test_the_dashboard_that_is_printed_shows_every_event_of_the_recordings() -> None:
    recordings = [find_session(name) for name in SELECTION]
    events = [event for one in recordings for step in steps(one.session) for event in step.events]
    found = re.fullmatch(r"/d/([\w-]+)\?from=(\d+)&to=(\d+)", orders_dashboard(recordings))
    assert found is not None
    assert found[1] in {dashboard(path)["uid"] for path in DASHBOARDS}
    start, end = (datetime.fromtimestamp(int(found[place]) / 1_000, UTC) for place in (2, 3))
    times = [event.occurred_at for event in events]
    assert start <= min(times)
    assert max(times) <= end
