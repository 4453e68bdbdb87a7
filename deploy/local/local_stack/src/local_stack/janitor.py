"""Remove a run directory once nobody needs it: `python janitor.py DIRECTORY < PIPE`.

The supervisor and all its children hold the pipe's write end, so its end means that they are gone,
however they went. Only the standard library: it runs without site-packages.
"""

import shutil
import sys


def main() -> None:
    """Wait for the end of standard input, then remove the directory."""
    sys.stdin.buffer.read()
    shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
