"""What a proof fails with: one error, which names what was expected and what was found."""


class Unproven(ValueError):
    """Evidence that does not prove what it should: says of what, what was expected and what was found."""

    def __init__(self, what: str, *, expected: str, found: str) -> None:
        """Take the three parts of the text, which can also be read one by one."""
        super().__init__(f"{what}: expected {expected}, found {found}")
        self.what = what
        self.expected = expected
        self.found = found


class MalformedBlob(Unproven):
    """Bytes that are not of the ledger's binary format."""
