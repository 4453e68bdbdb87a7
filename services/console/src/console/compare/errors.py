"""What a comparison reports to the person who called it: expected, found, what to do."""

from console.errors import BadOption


class BadBook(BadOption):
    """The file is no book that can be read: it is empty, cut off, locked, or of another program."""


class AmbiguousBook(BadOption):
    """The book can be read in more than one way, and the option that decides it was not given."""


class BadMapping(BadOption):
    """The mapping file does not say which columns are to be taken for what, or says it wrongly."""
