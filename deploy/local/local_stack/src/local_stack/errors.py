"""What the local stack reports to the person who asked for it."""


class StackError(Exception):
    """The stack can't do what was asked; the text says what was expected, what was found and what to do."""
