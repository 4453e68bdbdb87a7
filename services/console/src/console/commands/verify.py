"""`fillproof verify`: the stored rows held against their chain and against the ledger."""

import typer

from console.ending import FAILED, explained
from console.extras import require_extra
from console.options import Database, Heads, NodeUrl, Sample
from console.tables import screen


def verify_command(
    *, database: Database, head: Heads = None, xrpl: NodeUrl = None, sample: Sample = 100
) -> None:
    """Hold every stored row against the chain of digests, and say which are not as they were stored.

    Exit status: 0 all are as they were stored; 1 some are not; 2 bad input.
    Note the head that it prints somewhere else: who cuts rows and digests off
    the chain's end together is found out by an earlier head alone.

    Example: fillproof verify --database postgresql://owner:...@db/fillproof --xrpl https://xrplcluster.com
    """
    require_extra("database", command="verify")
    from console.verify import show, verify

    with explained():
        report = verify(database, head or (), xrpl, sample, screen(stderr=True))
    show(report, screen())
    if report.findings:
        raise typer.Exit(FAILED)
