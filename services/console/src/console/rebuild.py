"""`fillproof rebuild`: gives the audit store the events of a range of ledgers again."""

import os
import subprocess
import sys

import msgspec
from rich.console import Console

from console.asking import checked_address, checked_url
from console.errors import BadOption, NotFinished
from console.fitted_tables import Column, print_table

_BAD_SETTINGS = 2
"""The child's exit status for what it was told wrongly."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Which accounts and ledgers (both ends included), and where they are read and where events go."""

    accounts: tuple[str, ...]
    first: int
    last: int
    xrpl_urls: tuple[str, ...]
    nats_url: str


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What the reconciler says of an account when it is done with it."""

    account: str
    begun_at: int
    ledgers: int
    events: dict[str, int]


def rebuild(options: Options) -> list[Rebuilt]:
    """Have the reconciler derive the events again; its progress goes to standard error.

    Raises:
        BadOption: an address, a URL or a range that can't be meant.
        NotFinished: the reconciler has said why on standard error.

    """
    _check(options)
    # what the caller's FILLPROOF_* say of a running reconciler is not for this one, but how to reach the bus
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FILLPROOF_") or name.startswith("FILLPROOF_NATS_")
    }
    environment = {
        "FILLPROOF_NATS_URL": options.nats_url,
        "FILLPROOF_XRPL_URLS": ",".join(map(checked_url, options.xrpl_urls)),
        "FILLPROOF_ACCOUNTS": ",".join(options.accounts),
        "FILLPROOF_FIRST_LEDGER": str(options.first),
        "FILLPROOF_LAST_LEDGER": str(options.last),
        "FILLPROOF_LOG_FORMAT": "plain",
    }
    done = subprocess.run(
        [sys.executable, "-m", "reconciler.rebuild"],
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode == _BAD_SETTINGS:
        raise BadOption("nothing was rebuilt: an option is wrong, see above")
    if done.returncode:
        raise NotFinished("not everything was rebuilt, see above; it may be started again at any time")
    return [msgspec.json.decode(line, type=Rebuilt) for line in done.stdout.splitlines()]


def show(console: Console, found: list[Rebuilt]) -> None:
    """Print what was derived for each account, by type of event."""
    types = sorted({kind for one in found for kind in one.events})
    columns = [
        Column("account"),
        Column("begun at", "right", drop=2),
        Column("ledgers read", "right", drop=1),
    ]
    columns += [Column(kind, "right", drop=3) for kind in types]
    rows = [
        [one.account, f"{one.begun_at}", f"{one.ledgers}"]
        + [f"{one.events.get(kind, 0)}" for kind in types]
        + [f"{sum(one.events.values())}"]
        for one in found
    ]
    print_table(console, "Rebuilt", [*columns, Column("events", "right")], rows)


def _check(options: Options) -> None:
    for account in options.accounts:
        checked_address(account)
    if options.first > options.last:
        raise BadOption(
            f"expected --from at or before --to, found --from {options.first} --to {options.last}: "
            "turn them round"
        )
