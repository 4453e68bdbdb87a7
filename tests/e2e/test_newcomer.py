"""A newcomer's first minutes: the README's own commands, as printed, each with its time."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from fillproof_command import FILLPROOF
from readme_commands import pasteable_commands
from waiting import limit_of_a_test


def test_every_command_that_can_be_pasted_does_what_the_readme_says(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    commands = pasteable_commands()
    assert [command for command, *_ in commands] == ["compare", "explain", "prove", "check"]
    said = {}
    for command, *arguments in commands:
        began = time.monotonic()
        done = subprocess.run(
            [FILLPROOF, command, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=limit_of_a_test(),
            check=False,
        )
        record_property(command, f"{time.monotonic() - began:.1f} s")
        assert "Traceback" not in done.stderr
        assert done.returncode in {0, 1, 5}, done.stderr  # compare differs, a proof hangs on one hash
        said[command] = done.stdout
    assert said["explain"].startswith("UNFUNDED  order 229 of rpPFd8h59jHYfZxAPsfzJKykX7TnBwcVuK")
    assert (tmp_path / "order.proof").stat().st_size > 0
    assert all(said[command] for command in ("compare", "check"))
