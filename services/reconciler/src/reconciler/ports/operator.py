"""The operator: the person who answers a halt."""

from typing import Protocol

from order_events import ReconcilerResumed


class Operator(Protocol):
    """A source of operators' answers to halts."""

    async def read_answer(self, prefix: str) -> ReconcilerResumed | None:
        """Return the answer that lifts an account's halt (`<network_id>.<account>`); None: there is none.

        Returns once the bus has answered, however long it is down.
        """
        ...
