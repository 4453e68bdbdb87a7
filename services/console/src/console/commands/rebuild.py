"""`fillproof rebuild`: the events of a range of ledgers, for the audit store alone."""

from console.ending import explained
from console.options import Accounts, FirstLedger, LastLedger, NatsUrl, Nodes
from console.tables import screen


def rebuild_command(
    *, account: Accounts, first: FirstLedger, last: LastLedger, xrpl: Nodes, nats: NatsUrl
) -> None:
    """Give the audit store the events of a range of ledgers again; engines are told nothing.

    Example: fillproof rebuild --account rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe --from 90000000 --to 90000999
    --xrpl https://xrplcluster.com --nats nats://127.0.0.1:4222
    """
    from console.rebuild import Options, rebuild, show

    options = Options(accounts=tuple(account), first=first, last=last, xrpl_urls=tuple(xrpl), nats_url=nats)
    with explained():
        found = rebuild(options)
    show(screen(), found)
