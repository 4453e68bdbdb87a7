"""What is wrong with a note, a key or a proof: expected and found."""


class Refused(ValueError):
    """A note, a key, a checkpoint, an act or a proof is not what it must be."""
