"""Where signed checkpoints go: a stream, a directory, a webhook."""

import asyncio
import contextlib
import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import nats.errors
import nats.js.errors
from faststream.nats import JStream, NatsBroker
from pydantic import Field

from audit_writer.ports import CheckpointsUnavailable, CopyFailed, PublishedCheckpoint
from order_events.subjects import CHECKPOINT_STREAM, CHECKPOINT_SUBJECT, FRONTIER

CONFIRM_SECONDS = 5.0
WEBHOOK_SECONDS = 10.0
WRONG_LAST_SEQUENCE = 10071
NO_STREAM = 10059
AFTER = "Nats-Expected-Last-Sequence"
SUFFIX = ".checkpoint"

_CONTRACT = (
    "A signed checkpoint of the audit log's chain, once a minute where something is new: a signed note (C2SP "
    "signed-note and tlog-checkpoint), text in UTF-8; docs/audit-log.md. The header "
    f"`{FRONTIER}` has the hashes that the tree goes on from."
)


class CheckpointStream:
    """The stream CHECKPOINTS; see :class:`audit_writer.ports.Checkpoints`."""

    def __init__(self, broker: NatsBroker) -> None:
        """Declare the publisher; `broker` may be connected later."""
        self._broker = broker
        self._publisher = broker.publisher(
            CHECKPOINT_SUBJECT,
            stream=JStream(CHECKPOINT_STREAM, declare=False),
            timeout=CONFIRM_SECONDS,
            title="Checkpoint",
            description=_CONTRACT,
            schema=Annotated[Any, Field(title="Checkpoint", description="A signed note.")],
        )

    async def last(self) -> PublishedCheckpoint | None:
        """Return the newest checkpoint."""
        try:
            message = await self._broker.connection.jetstream().get_last_msg(
                CHECKPOINT_STREAM, CHECKPOINT_SUBJECT
            )
        except nats.js.errors.NotFoundError as error:
            if error.err_code == NO_STREAM:
                raise CheckpointsUnavailable(
                    f"the stream {CHECKPOINT_STREAM} does not exist: provision the streams"
                ) from error
            return None
        except (nats.errors.Error, TimeoutError) as error:
            raise CheckpointsUnavailable(repr(error)) from error
        hashes = (message.headers or {}).get(FRONTIER, "")
        frontier: tuple[bytes, ...] = ()
        with contextlib.suppress(ValueError):
            frontier = tuple(bytes.fromhex(one) for one in hashes.split())
        note = (message.data or b"").decode(errors="replace")
        return PublishedCheckpoint(sequence=message.seq or 0, note=note, frontier=frontier)

    async def publish(
        self, note: str, frontier: Sequence[bytes], *, after: PublishedCheckpoint | None
    ) -> bool:
        """Add a checkpoint, unless another came after `after`."""
        headers = {
            AFTER: str(after.sequence if after else 0),
            FRONTIER: " ".join(one.hex() for one in frontier),
        }
        try:
            await self._publisher.publish(note.encode(), headers=headers)
        except nats.js.errors.APIError as error:
            if error.err_code == WRONG_LAST_SEQUENCE:
                return False
            raise CheckpointsUnavailable(repr(error)) from error
        except (nats.errors.Error, TimeoutError) as error:
            raise CheckpointsUnavailable(repr(error)) from error
        return True


class CheckpointDirectory:
    """A directory with one file a checkpoint, named by its position; see `ports.CheckpointCopy`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def keep(self, position: int, note: str) -> None:
        """Write a file that is whole, or none."""
        try:
            await asyncio.to_thread(self._write, position, note)
        except OSError as error:
            raise CopyFailed(str(error)) from error

    def _write(self, position: int, note: str) -> None:
        file = self._path / f"{position:012}{SUFFIX}"
        begun = file.with_suffix(f".{os.getpid()}.part")
        begun.write_text(note)
        begun.replace(file)


class CheckpointWebhook:
    """An address that takes each checkpoint by POST; see `ports.CheckpointCopy`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def keep(self, position: int, note: str) -> None:  # noqa: ARG002 - a port's
        """Send it; the address may hold a token, so no message shows it."""
        try:
            await asyncio.to_thread(self._send, note)
        except urllib.error.HTTPError as error:
            raise CopyFailed(f"the webhook answers {error.code}") from error
        except (OSError, ValueError) as error:
            raise CopyFailed(f"the webhook: {type(error).__name__}") from error

    def _send(self, note: str) -> None:
        request = urllib.request.Request(  # noqa: S310 - the settings take http and https alone
            self._url, data=note.encode(), headers={"Content-Type": "text/plain; charset=utf-8"}
        )
        with urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS):  # noqa: S310 - as above
            pass
