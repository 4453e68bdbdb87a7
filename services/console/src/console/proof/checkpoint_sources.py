"""Where signed checkpoints are read from: the bus, a directory of copies, a file."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from audit_log import Checkpoint, Refused, VerifierKey, read_checkpoint, read_verifier_key
from console.errors import BadOption
from console.stream_reading import bus_at, messages_of
from order_events.subjects import CHECKPOINT_STREAM
from service_kit.nats_urls import addresses_of, named

SUFFIX = ".checkpoint"
"""Of the files that the audit writer makes in FILLPROOF_CHECKPOINT_DIRECTORY."""


def read_keys(files: Sequence[Path]) -> list[VerifierKey]:
    """Read verifier keys, one a line.

    Raises:
        BadOption: a file that can't be read, or a line that is no key.

    """
    try:
        return [read_verifier_key(line) for path in files for line in path.read_text().split()]
    except (OSError, ValueError) as error:
        raise BadOption(f"expected a file of verifier keys, NAME+HASH+KEY each, found: {error}") from error


async def read_checkpoints(sources: Sequence[str], keys: Sequence[VerifierKey]) -> dict[str, Checkpoint]:
    """Read the checkpoints of all sources, by the signed notes that they are read from.

    Args:
        sources: each `nats://...`, a directory in which the audit writer keeps copies, or a file of one.
        keys: whose signatures count.

    Raises:
        BadOption: a source that can't be read or has none, or a checkpoint that no trusted key has signed.

    """
    if sources and not keys:
        raise BadOption("expected the keys that sign checkpoints (--keys) with --checkpoints, found none")
    found: dict[str, Checkpoint] = {}
    for source in sources:
        notes = [one async for one in _notes_of(source)]
        if not notes:
            where = named(addresses_of(source)) if "://" in source else source
            raise BadOption(f"expected checkpoints in {where}, found none")
        for place, note in notes:
            try:
                found[note] = read_checkpoint(note, keys)
            except Refused as error:
                raise BadOption(f"{place}: {error}") from error
    return found


async def _notes_of(source: str) -> AsyncIterator[tuple[str, str]]:
    if "://" in source:
        async for found in _notes_on_bus(source):
            yield found
        return
    for found in _notes_in_files(Path(source)):
        yield found


def _notes_in_files(path: Path) -> list[tuple[str, str]]:
    try:
        files = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
        return [(str(one), one.read_text()) for one in files]
    except (OSError, UnicodeDecodeError) as error:
        raise BadOption(f"expected checkpoints at {path}, found: {error}") from error


async def _notes_on_bus(url: str) -> AsyncIterator[tuple[str, str]]:
    async with bus_at(url) as jetstream:
        async for messages in messages_of(jetstream, CHECKPOINT_STREAM):
            for message in messages:
                place = f"message {message.metadata.sequence.stream} of {CHECKPOINT_STREAM}"
                yield place, message.data.decode(errors="replace")
