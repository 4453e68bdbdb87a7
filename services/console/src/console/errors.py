"""What a command reports to the person who called it: expected, found, what to do."""


class BadOption(ValueError):
    """What was asked for can't be done as it was asked: an address, a URL, a choice of sessions."""


class NotFinished(Exception):
    """The stack came up and did not get to the end."""
