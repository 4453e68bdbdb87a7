"""A newcomer's first minutes: the README's own commands, as printed, each with its time."""

import re
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from fillproof_command import FILLPROOF
from waiting import limit_of_a_test

README = Path(__file__).parents[2] / "README.md"
NEEDS_MORE = ("rYourAddress", "PORT", "postgresql://", "--help")
"""A command with one of these is completed by its reader."""


def printed() -> list[str]:
    """Return the console's command lines of the README that can be pasted as they are."""
    blocks = re.findall(r"^```\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    lines = [
        line.removeprefix("$ ").partition("  #")[0].strip() for block in blocks for line in block.splitlines()
    ]
    commands = [line for line in lines if line.startswith(".venv/bin/fillproof ")]
    return [line for line in commands if not any(word in line for word in NEEDS_MORE)]


def test_every_command_that_can_be_pasted_does_what_the_readme_says(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    commands = printed()
    assert [shlex.split(line)[1] for line in commands] == ["compare", "explain", "prove", "check"]
    said = {}
    for line in commands:
        began = time.monotonic()
        done = subprocess.run(
            [FILLPROOF, *shlex.split(line)[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=limit_of_a_test(),
            check=False,
        )
        record_property(shlex.split(line)[1], f"{time.monotonic() - began:.1f} s")
        assert "Traceback" not in done.stderr
        assert done.returncode in {0, 1, 5}, done.stderr  # compare differs, a proof hangs on one hash
        said[shlex.split(line)[1]] = done.stdout
    assert said["explain"].startswith("UNFUNDED  order 229 of rpPFd8h59jHYfZxAPsfzJKykX7TnBwcVuK")
    assert (tmp_path / "order.proof").stat().st_size > 0
    assert all(said[command] for command in ("compare", "check"))
