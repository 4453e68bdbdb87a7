"""Where signed checkpoints are read from: the bus, a directory of copies, a file."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import nats.errors
import nats.js.errors
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from audit_log import Checkpoint, Refused, VerifierKey, read_checkpoint, read_verifier_key
from console.errors import BadOption
from order_events.subjects import CHECKPOINT_STREAM, CHECKPOINT_SUBJECTS
from service_kit import Unavailable
from service_kit.broker import connect

AT_ONCE = 1_000
ANSWER_SECONDS = 5.0
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
            raise BadOption(f"expected checkpoints in {_shown(source)}, found none")
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
    try:
        connection = await connect(url)
    except Unavailable as error:
        raise BadOption(str(error)) from error
    try:
        jetstream = connection.jetstream()
        left = (await jetstream.stream_info(CHECKPOINT_STREAM)).state.messages
        reader = await jetstream.pull_subscribe(
            CHECKPOINT_SUBJECTS[0],
            stream=CHECKPOINT_STREAM,
            config=ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL),
        )
        while left > 0:
            messages = await reader.fetch(min(left, AT_ONCE), timeout=ANSWER_SECONDS)
            left -= len(messages)
            for message in messages:
                yield (
                    f"message {message.metadata.sequence.stream} of {CHECKPOINT_STREAM}",
                    message.data.decode(),
                )
    except (nats.errors.Error, nats.js.errors.APIError, TimeoutError) as error:
        raise BadOption(
            f"expected the stream {CHECKPOINT_STREAM} at {_shown(url)}, found: {error!r}"
        ) from error
    finally:
        await connection.close()


def _shown(source: str) -> str:
    """Return the source without a password."""
    if "://" not in source:
        return source
    parts = urlsplit(source)
    return f"{parts.scheme}://{parts.hostname}"
