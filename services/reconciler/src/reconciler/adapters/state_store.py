"""The state, in one JetStream key-value bucket: a ledger's changes are one atomic batch, fenced.

The fence is the revision of the account's own key: of two replicas that follow the same account, the
second one to commit finds that the revision has moved, and nothing of its batch is stored.
"""

from collections.abc import Callable, Mapping, Sequence
from uuid import uuid4

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

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
_OPERATION = "KV-Operation"
_DELETED = {_OPERATION: "DEL"}
_MESSAGES_AT_ONCE = 1000
_FORGOTTEN_SECONDS = 30.0
"""After which the server drops what an interrupted load left behind."""


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
        """Read every key's last message.

        Not by the library's watch: it takes a bucket for empty when the server has already sent what the
        client has not yet looked at, and an account that is taken for a new one is adopted afresh.
        """
        context = self._client().jetstream(timeout=ANSWER_SECONDS)
        reader = await context.add_consumer(_STREAM, _last_of_each(_subject(prefix, ">")))
        subscription = await context.pull_subscribe_bind(consumer=reader.name, stream=_STREAM)
        messages: list[Msg] = []
        left = reader.num_pending or 0
        try:
            while left:
                messages += await subscription.fetch(min(left, _MESSAGES_AT_ONCE), timeout=ANSWER_SECONDS)
                left = messages[-1].metadata.num_pending
        finally:
            await subscription.unsubscribe()
            await context.delete_consumer(_STREAM, reader.name)
        return _kept(prefix, messages)


def _last_of_each(subjects: str) -> ConsumerConfig:
    return ConsumerConfig(
        deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
        ack_policy=AckPolicy.NONE,
        filter_subject=subjects,
        inactive_threshold=_FORGOTTEN_SECONDS,
        mem_storage=True,
    )


def _kept(prefix: str, messages: Sequence[Msg]) -> Kept:
    values: dict[str, bytes] = {}
    revision = 0
    for message in messages:
        key = message.subject.removeprefix(_subject(prefix, ""))
        if key == "account":
            revision = message.metadata.sequence.stream
        if _OPERATION not in (message.headers or {}):
            values[key] = message.data
    return Kept(values=values, revision=revision)


def _subject(prefix: str, key: str) -> str:
    return f"$KV.{STATE_BUCKET}.{prefix}.{key}"
