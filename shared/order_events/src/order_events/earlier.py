"""Earlier versions of events: no longer published, but rows and streams still hold them."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from order_events.orders import OrderCorrected, OrderEvent
from order_events.vocabulary import Correction


class OrderCorrectedV1(OrderEvent, frozen=True, kw_only=True, tag="order.corrected"):
    """Version 1 of `order.corrected`, which said with a boolean what version 2 says with `correction`."""

    corrects: Annotated[UUID, Meta(description="The id of the earlier event that is now wrong.")]
    stands: Annotated[bool, Meta(description="True: the earlier event is amended. False: it is withdrawn.")]
    anomaly: Annotated[bool, Meta(description="True: the order's end, as it is known now, is an anomaly.")]
    evidence: Annotated[str, Meta(description="What is known now and was not known then.")]

    def as_current(self) -> OrderCorrected:
        """Return the same correction as version 2 says it."""
        fields = msgspec.structs.asdict(self)
        del fields["version"]
        correction = Correction.AMENDED if fields.pop("stands") else Correction.WITHDRAWN
        return OrderCorrected(**fields, correction=correction)
