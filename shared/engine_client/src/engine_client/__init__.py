"""An engine's side of Fillproof: it announces its orders and books every event exactly once.

`connect` opens the bus, `announce` says what the engine sends, `follow_orders` hands every event of an
account to a function, and `BookedOnce` makes of that one that changes SQLite books once for each event.
"""

from engine_client.access import BusAccess, BusUnavailable, connect
from engine_client.announcing import announce
from engine_client.booking import BookedOnce
from engine_client.following import UnreadableEvent, follow_orders

__all__ = [
    "BookedOnce",
    "BusAccess",
    "BusUnavailable",
    "UnreadableEvent",
    "announce",
    "connect",
    "follow_orders",
]
