"""`make pictures`: the README's picture of the demo, from the recorded sessions."""

from __future__ import annotations

from pathlib import Path

from pictures import demo

from console.sessions import SELECTION, find_session

PICTURES = Path(__file__).parents[2] / "docs/pictures"


def main() -> None:
    """Draw it."""
    sessions = [find_session(name).session for name in SELECTION]
    (PICTURES / "demo.svg").write_text(demo.drawn(sessions))


if __name__ == "__main__":
    main()
