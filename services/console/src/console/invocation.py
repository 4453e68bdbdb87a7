"""The commands that the console prints for people to paste, spelt as the console itself was started."""

import shlex
import shutil
import sys
from pathlib import Path

PROGRAM = "fillproof"


def pasteable(*arguments: object) -> str:
    """Return the command line that runs this console with those arguments, quoted for a shell."""
    return f"{_program()} {shlex.join(map(str, arguments))}"


def _program() -> str:
    started = Path(sys.argv[0])
    if started.name != PROGRAM:  # as `python -m console`
        return f"{shlex.quote(sys.executable)} -m console"
    on_path = shutil.which(PROGRAM)
    if on_path is not None and started.resolve() == Path(on_path).resolve():
        return PROGRAM
    return shlex.quote(str(started))
