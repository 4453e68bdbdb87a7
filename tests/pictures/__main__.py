"""`make pictures`: the README's pictures, from the recorded sessions and the dashboard's own file."""

from __future__ import annotations

from pathlib import Path

from pictures import demo, orders

from console.sessions import SELECTION, find_session
from local_stack import LocalStack, Role

PICTURES = Path(__file__).parents[2] / "docs/pictures"


def main() -> None:
    """Draw both."""
    sessions = [find_session(name).session for name in SELECTION]
    (PICTURES / "demo.svg").write_text(demo.drawn(sessions))
    with LocalStack.start() as stack:
        stack.migrate()

        def dsn(role: Role = "owner") -> str:
            return stack.postgres_dsn(role)

        view = orders.filled(dsn, sessions)
        (PICTURES / "orders.svg").write_text(orders.drawn(dsn, view))


if __name__ == "__main__":
    main()
