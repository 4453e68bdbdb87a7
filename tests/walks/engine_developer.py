"""The engine developer's first hour: the programs of docs/engine.md, as they are printed."""

import subprocess
import sys
from pathlib import Path

from engine_examples import EXAMPLES, read_books
from fillproof_command import read_until
from running_command import running
from waiting import wait_until
from walks.following_stack import ACCOUNT, FollowedAccount
from walks.walk import Walk, WrongTurn

LEDGERS_TO_A_FILL = 30
LEDGERS_MORE = 20


def walk(directory: Path, followed: FollowedAccount) -> Walk:
    """Go the engine developer's way.

    Raises:
        WrongTurn: a program did not do what the page says.

    """
    developer, url = Walk("engine developer", directory), followed.stack.nats_url
    books = directory / "books.sqlite"
    announce = [sys.executable, str(EXAMPLES / "announce_order.py"), url, ACCOUNT]
    engine = [sys.executable, str(EXAMPLES / "first_engine.py"), url, ACCOUNT, str(books)]
    cautious = [sys.executable, "-u", str(EXAMPLES / "cautious_engine.py"), url, ACCOUNT]
    developer.command(announce)
    with running(engine, stdout=None), developer.step("first_engine.py: until the first fill is booked"):
        for _ in range(LEDGERS_TO_A_FILL):
            followed.node.close_ledger()
        wait_until(lambda: bool(fills(books)), "a fill in the books")
    before = len(fills(books))
    with running(engine, stdout=None), developer.step("first_engine.py, killed and started again: the next"):
        for _ in range(LEDGERS_MORE):
            followed.node.close_ledger()
        wait_until(lambda: len(fills(books)) > before, "another fill in the books")
    booked = read_books(books, "SELECT sequence, transaction_hash FROM fill")
    if len(booked) != len(set(booked)):
        raise WrongTurn(f"first_engine.py: expected every fill once, found: {booked}")
    with (
        running(cautious, stderr=subprocess.STDOUT) as trading,
        developer.step("cautious_engine.py: until it may place an order"),
    ):
        read_until(trading, lambda line: line.startswith("order "))
    return developer


def fills(books: Path) -> list[tuple[object, ...]]:
    return read_books(books, "SELECT sequence FROM fill")
