"""What a command reports to the person who called it: expected, found, what to do."""

from typing import ClassVar


class BadOption(ValueError):
    """What was asked for can't be done as it was asked: an address, a URL, a choice of sessions."""


class NotFinished(Exception):
    """The stack came up and did not get to the end."""


class NothingToExplain(LookupError):
    """There is no order to explain. `status` is the exit status that says which way."""

    status: ClassVar[int]


class NeverPlaced(NothingToExplain):
    """The order never existed: proven by the account's sequences, or by its whole history."""

    status = 3


class NoSuchAccount(NothingToExplain):
    """No ledger that the node has knows the account."""

    status = 4


class HistoryMissing(NothingToExplain):
    """The node's history ends before the order was placed, and nothing of it shows in what there is."""

    status = 5
