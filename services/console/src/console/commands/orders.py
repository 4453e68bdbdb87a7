"""`fillproof orders`: the orders that are open now."""

import asyncio

from console.ending import explained
from console.json_lines import print_json
from console.options import DEFAULT_NATS, BusUrl, OneAccount, StateAsJson
from console.tables import screen


def orders_command(
    *, nats: BusUrl = DEFAULT_NATS, account: OneAccount = None, as_json: StateAsJson = False
) -> None:
    """List the open orders of all accounts, or of one, as the ledger has them.

    Exit status: 0 done; 2 bad input, or no bus answers.

    Example: fillproof orders --account rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe
    """
    from console.asking import checked_address
    from console.fitting import counted, width_of
    from console.live.read_once import bus_state
    from console.live.status import order_line

    with explained():
        wanted = None if account is None else checked_address(account)
        state = asyncio.run(bus_state(nats))
    orders = [order for one in state.accounts if wanted in {None, one.account} for order in one.open_orders]
    if as_json:
        print_json(orders)
        return
    console = screen()
    for order in orders:
        console.print(order_line(order, width_of(console)), soft_wrap=True)
    console.print(counted(len(orders), "open order"))
