"""An engine's side of Fillproof: it announces its orders and books every event exactly once.

`EngineBus` announces what the engine sends and hands every event of an account to a function; `BookedOnce`
makes of a function one that changes SQLite books once for each event. `PermissionWatch` says whether the
engine may place orders.
"""

from engine_client.access import BusAccess, BusUnavailable
from engine_client.booking import BookedOnce
from engine_client.bus import EngineBus, UnreadableEvent
from engine_client.permission import PermissionWatch

__all__ = [
    "BookedOnce",
    "BusAccess",
    "BusUnavailable",
    "EngineBus",
    "PermissionWatch",
    "UnreadableEvent",
]
