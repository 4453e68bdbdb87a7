"""The command lines that the README prints."""

import re
import shlex
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
NEEDS_MORE = ("rYourAddress", "PORT", "postgresql://", "--help")
"""A command with one of these is completed by its reader."""


def pasteable_commands() -> list[list[str]]:
    """Return the console's commands that can be pasted as they are, without the program's own name."""
    blocks = re.findall(r"^```\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    lines = [
        line.removeprefix("$ ").partition("  #")[0].strip() for block in blocks for line in block.splitlines()
    ]
    commands = [line for line in lines if line.startswith(".venv/bin/fillproof ")]
    return [shlex.split(line)[1:] for line in commands if not any(word in line for word in NEEDS_MORE)]
