"""Places orders only while Fillproof permits it, and cancels what is open when it stops permitting it.

python cautious_engine.py nats://127.0.0.1:4222 rYourAccount [NETWORK_ID]

In place of transactions it announces them, five orders a second, and prints what it does and why.
"""

import asyncio
import contextlib
import sys
from decimal import Decimal
from typing import NoReturn

from nats.errors import Error as BusError

from engine_client import BusAccess, EngineBus, PermissionWatch
from order_events import Amount, CancelRequested, OrderSubmitted, Permission

XRP, USD = Amount("XRP", Decimal(1_000_000)), Amount("USD.rhub8VRN55s94qWKDv6jmDy1pUykJzF3wq", Decimal(1))


async def trade(bus: EngineBus, account: str, permission: PermissionWatch) -> NoReturn:
    """Place orders while that is permitted; the first time it is not, cancel them all."""
    sequence, working = 1_000_000, list[int]()
    while True:
        if permission.current is Permission.OK:
            order = OrderSubmitted(account=account, sequence=sequence, taker_gets=XRP, taker_pays=USD)
            with contextlib.suppress(BusError):  # an order that could not be announced is not sent
                await bus.announce(order)
                sys.stdout.write(f"order {sequence}\n")
                working.append(sequence)
                sequence += 1
        elif working:
            sys.stdout.write(f"{permission.current}: {permission.reason}\n")
            for one in working:  # cancels are sent at once, whether the bus takes their announcements or not
                sys.stdout.write(f"cancel {one}\n")
            sys.stdout.flush()
            with contextlib.suppress(BusError):
                for one in working:
                    await bus.announce(CancelRequested(account=account, sequence=one))
            working = []
        sys.stdout.flush()
        await asyncio.sleep(0.2)


async def main(url: str, account: str, network_id: str = "0") -> None:
    """Run until Ctrl-C."""
    bus = await EngineBus.connected(BusAccess(url=url))
    permission = bus.watch_permission(account, network_id=int(network_id))
    await asyncio.gather(permission.run(), trade(bus, account, permission))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
