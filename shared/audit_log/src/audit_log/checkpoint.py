"""A checkpoint: what the chain was at one moment, signed by the audit writer (C2SP tlog-checkpoint).

The lines of its text::

    ORIGIN             the log's name, which is the key's name too
    POSITION           the tree's size: the position of the last batch
    ROOT               base64 of the tree's root
    head DIGEST        hex of the last batch's digest, as `fillproof verify` prints it
    time TIME          when it was made, UTC, as 2026-11-29T18:00:00Z
"""

import base64
import binascii
import re
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from audit_log.errors import Refused
from audit_log.signed_note import SigningKey, VerifierKey, signed_text

DIGEST_BYTES = 32
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_TEXT = re.compile(
    r"(?P<origin>[^\s+]+)\n(?P<position>[1-9][0-9]{0,17})\n(?P<root>\S+)\n"
    r"head (?P<head>[0-9a-f]{64})\ntime (?P<time>\S+)\n"
)


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The chain's end and the root over all batches up to it."""

    origin: str
    position: int
    root: bytes
    head: bytes
    """Digest of the batch at that position."""
    time: datetime

    @property
    def text(self) -> str:
        """What is signed."""
        tree = f"{self.origin}\n{self.position}\n{base64.b64encode(self.root).decode()}\n"
        return f"{tree}head {self.head.hex()}\ntime {written_time(self.time)}\n"

    def signed_by(self, key: SigningKey) -> str:
        """Return the signed note."""
        return key.sign(self.text)


def read_checkpoint(note: str, keys: Iterable[VerifierKey]) -> Checkpoint:
    """Read a checkpoint that one of the keys has signed; the key's name is the log's.

    Raises:
        Refused: it is none, or none of the keys has signed it.

    """
    text, key = signed_text(note, keys)
    match = _TEXT.fullmatch(text)
    if match is None:
        raise Refused("expected a checkpoint: origin, position, root, head and time, found another text")
    if match["origin"] != key.name:
        raise Refused(
            f"expected a checkpoint of {key.name}, whose key has signed it, found {match['origin']}"
        )
    try:
        root = base64.b64decode(match["root"], validate=True)
    except (binascii.Error, ValueError):
        root = b""
    if len(root) != DIGEST_BYTES:
        raise Refused(f"expected a root of {DIGEST_BYTES} bytes, found {match['root']!r}")
    return Checkpoint(
        origin=match["origin"],
        position=int(match["position"]),
        root=root,
        head=bytes.fromhex(match["head"]),
        time=read_time(match["time"]),
    )


def written_time(moment: datetime) -> str:
    """Write a moment to the second, UTC."""
    return f"{moment.astimezone(UTC):{_TIME}}"


def read_time(written: str) -> datetime:
    """Read a moment that :func:`written_time` wrote.

    Raises:
        Refused: it is none.

    """
    try:
        return datetime.strptime(written, _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise Refused(f"expected a time as 2026-11-29T18:00:00Z, found {written!r}") from None
