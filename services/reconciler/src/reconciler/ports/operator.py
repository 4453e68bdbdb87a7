"""The operator: who looks at what the reconciler can't explain."""

from typing import Protocol

from order_events import ReconcilerResumed


class Operator(Protocol):
    """What an operator has asked for."""

    async def resume(self, prefix: str) -> ReconcilerResumed | None:
        """Return what lifts the halt of an account (`<network_id>.<account>`); None: nobody has asked.

        Returns once the bus has answered, however long it is down.
        """
        ...
