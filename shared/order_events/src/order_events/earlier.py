"""Earlier versions of events: no longer published, but rows and streams still hold them."""

from uuid import UUID

import msgspec

from order_events.orders import OrderCorrected, OrderEvent
from order_events.vocabulary import Correction


class OrderCorrectedV1(OrderEvent, frozen=True, kw_only=True, tag="order.corrected"):
    """Version 1 of `order.corrected`, which said with a boolean what version 2 says with `correction`."""

    corrects: UUID
    stands: bool
    """True: the earlier event is amended. False: it is withdrawn."""
    anomaly: bool
    evidence: str

    def as_current(self) -> OrderCorrected:
        """Return the same correction as version 2 says it."""
        fields = msgspec.structs.asdict(self)
        del fields["version"]
        correction = Correction.AMENDED if fields.pop("stands") else Correction.WITHDRAWN
        return OrderCorrected(**fields, correction=correction)
