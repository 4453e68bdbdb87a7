"""The state, in one JetStream key-value bucket: a ledger's changes are one atomic batch, fenced.

The fence is the revision of the account's own key: of two replicas that follow the same account, the
second one to commit finds that the revision has moved, and nothing of its batch is stored.
"""

from collections.abc import Callable, Mapping, Sequence
from uuid import uuid4

from nats.aio.client import Client

from order_events.subjects import STATE_BUCKET
from reconciler.adapters.atomic_batch import (
    ANSWER_SECONDS,
    LARGEST_BATCH,
    WRONG_LAST_SEQUENCE,
    BatchRefused,
    Message,
    publish_batch,
)
from reconciler.adapters.retry import until_done
from reconciler.metrics import Metrics
from reconciler.ports.bus import Kept, NotOwner

_STREAM = f"KV_{STATE_BUCKET}"
_FENCE = "Nats-Expected-Last-Subject-Sequence"
_FENCE_KEY = "Nats-Expected-Last-Subject-Sequence-Subject"
_COMMIT_ID = "Fillproof-Commit-Id"
_DELETED = {"KV-Operation": "DEL"}


class BucketStore:
    """Keys are `<network_id>.<account>.account` and `<network_id>.<account>.order.<sequence>`."""

    def __init__(self, client: Callable[[], Client], metrics: Metrics) -> None:
        """`client`: the bus connection; it raises while there is none."""
        self._client = client
        self._metrics = metrics

    async def load(self, prefix: str) -> Kept:
        """Return what is kept under a prefix (see `StateStore`)."""
        return await until_done("loading state", lambda: self._load(prefix), self._metrics)

    async def commit(
        self, prefix: str, values: Mapping[str, bytes], deleted: Sequence[str], fence: int
    ) -> int:
        """Write all of it or nothing (see `StateStore`).

        More than a thousand keys take several batches; the account's own key is in the last of them.

        Raises:
            NotOwner: if somebody else has written the account's key.

        """
        commit_id = uuid4().hex
        messages = self._messages(prefix, values, deleted, commit_id)
        for first in range(0, len(messages), LARGEST_BATCH):
            batch = messages[first : first + LARGEST_BATCH]
            revision = await self._fenced(prefix, batch, fence, commit_id)
        return revision

    def _messages(
        self, prefix: str, values: Mapping[str, bytes], deleted: Sequence[str], commit_id: str
    ) -> list[Message]:
        removals = [Message(subject=_subject(prefix, key), payload=b"", headers=_DELETED) for key in deleted]
        writes = [
            Message(subject=_subject(prefix, key), payload=value, headers={})
            for key, value in values.items()
            if key != "account"
        ]
        account = Message(
            subject=_subject(prefix, "account"), payload=values["account"], headers={_COMMIT_ID: commit_id}
        )
        return [*removals, *writes, account]

    async def _fenced(self, prefix: str, batch: list[Message], fence: int, commit_id: str) -> int:
        key = _subject(prefix, "account")
        head = batch[0]
        fenced = {**head.headers, _FENCE: str(fence), _FENCE_KEY: key}
        batch[0] = Message(subject=head.subject, payload=head.payload, headers=fenced)

        async def attempt() -> int:
            try:
                return await publish_batch(self._client(), batch)
            except BatchRefused as refusal:
                if refusal.code != WRONG_LAST_SEQUENCE:
                    raise
                return await self._own_revision(key, fence, commit_id)

        return await until_done("committing state", attempt, self._metrics)

    async def _own_revision(self, key: str, fence: int, commit_id: str) -> int:
        """Return the key's revision if it is this very commit's, stored by an attempt that seemed to fail."""
        found = await self._client().jetstream().get_last_msg(_STREAM, key)
        if found.seq and (found.headers or {}).get(_COMMIT_ID) == commit_id:
            return found.seq
        raise NotOwner(
            f"expected revision {fence} of {key}, found {found.seq}: another reconciler follows "
            "the same account; run one only, this one leaves"
        )

    async def _load(self, prefix: str) -> Kept:
        bucket = await self._client().jetstream().key_value(STATE_BUCKET)
        watcher = await bucket.watch(f"{prefix}.>")
        values: dict[str, bytes] = {}
        revision = 0
        try:
            # nats-py gives these two methods no types
            while (entry := await watcher.updates(ANSWER_SECONDS)) is not None:  # type: ignore[no-untyped-call]
                key = entry.key.removeprefix(f"{prefix}.")
                if key == "account":
                    revision = entry.revision or 0
                if entry.operation is None:
                    values[key] = entry.value or b""
        finally:
            await watcher.stop()  # type: ignore[no-untyped-call]
        return Kept(values=values, revision=revision)


def _subject(prefix: str, key: str) -> str:
    return f"$KV.{STATE_BUCKET}.{prefix}.{key}"
