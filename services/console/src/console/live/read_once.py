"""One look at the bus, for commands that print it and end."""

from console.bus_connection import open_bus
from console.live.bus_state import BusState, read_bus_state


async def bus_state(nats_url: str) -> BusState:
    """Connect, read, and close.

    Raises:
        NotFinished: no bus answers.
        BadOption: the bus is not a deployment's.

    """
    async with open_bus(nats_url) as jetstream:
        return await read_bus_state(jetstream)
