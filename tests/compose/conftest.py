"""Tests on a real Docker engine: `make test-compose`, which brings one where it can."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment import Deployment, environment_of
from documented_commands import PAGES, RAN_AS_DOCUMENTED, blocks
from session_rows import PACE, SESSION

KNOWN = [block for page in PAGES for block in blocks(page)]


@pytest.fixture
def settings() -> str:
    """Give what a test's `.env` has beside the demo's."""
    return ""


@pytest.fixture
def deployment(tmp_path: Path, settings: str) -> Iterator[Deployment]:
    """Give a deployment of which nothing runs yet; everything of it is removed afterwards."""
    project = Deployment(tmp_path, environment_of(SESSION, PACE) + settings)
    project.down()
    yield project
    project.down()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many commands of the operator's pages ran, where they were tried."""
    ran = {
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == RAN_AS_DOCUMENTED
    }
    if not ran:
        return
    can_run = [block for block in KNOWN if not block.why_not_run]
    commands = sum(len(block.commands) for block in can_run if block.name in ran)
    terminalreporter.write_line(
        f"commands of the operator's pages that ended as documented: {commands} of "
        f"{sum(len(block.commands) for block in can_run)}, in {len(ran)} of {len(can_run)} blocks"
    )
    for block in KNOWN:
        if block.why_not_run:
            terminalreporter.write_line(f"not run: {block.name}: {block.why_not_run}")
