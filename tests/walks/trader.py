"""The trader's first hour: the README's commands, then a real account that is followed."""

import signal
from pathlib import Path

from fillproof_command import read_until, started
from readme_commands import pasteable_commands
from replaying import recorded
from running_node import running_node
from waiting import limit
from walks.walk import Walk, WrongTurn

SESSION = recorded("full_fill")
ACCOUNT = SESSION.accounts["maker"]
STATUSES = {"compare": 1, "check": 5}
"""The example's book differs from the ledger; a proof without validations hangs on a ledger's hash."""


def walk(directory: Path) -> Walk:
    """Go the trader's way.

    Raises:
        WrongTurn: a command did not do what the README says.

    """
    trader = Walk("trader", directory)
    for command in pasteable_commands():
        trader.fillproof(*command, status=STATUSES.get(command[0], 0))
    with running_node("full_fill") as node:
        url = node.url.replace("http", "ws")
        # a recorded ledger is old: the doctor says so, and ends with 1
        trader.fillproof("doctor", "--xrpl", url, "--account", ACCOUNT, status=1, says=f"knows {ACCOUNT}")
        options = ("run", "--xrpl", url, "--account", ACCOUNT, "--data-dir", directory / "data")
        with started(*options) as run:
            with trader.step("fillproof run: until it follows"):
                said = read_until(run, lambda line: line.startswith("following"))
            [where] = [line.split()[-1] for line in said.splitlines() if " status --nats " in line]
            with trader.step("the account trades: until its fill is on the screen"):
                for _ in SESSION.ledgers[1:]:
                    node.close_ledger()
                first = read_until(run, lambda line: "order.disappeared" in line)
            trader.fillproof("status", "--nats", where, says="1 account ")
            trader.fillproof("orders", "--nats", where, says="0 open orders")
            trader.fillproof("tail", "--nats", where, "--no-follow", says="order.filled")
            trader.fillproof("doctor", "--nats", where, says="reconciler  1 run")
            with trader.step("Ctrl-C: until the totals are shown"):
                run.send_signal(signal.SIGINT)
                rest, _ = run.communicate(timeout=limit())
        with started(*options) as again:
            with trader.step("fillproof run again: until it follows, and tells nothing twice"):
                second = read_until(again, lambda line: line.startswith("following"))
            again.send_signal(signal.SIGINT)
            second += again.communicate(timeout=limit())[0]
    if not ("order.filled" in first and "1 fill " in rest and "order.filled" not in second):
        raise WrongTurn(f"run: expected one fill, once, found: {first}{rest}{second}")
    if "Traceback" in first + rest + second:
        raise WrongTurn(f"run: expected no traceback, found: {first}{rest}{second}")
    return trader
