"""The state store, one JetStream key-value bucket: a ledger's changes are one atomic, fenced batch.

The fence is the revision of the account's own key: of two replicas that follow the same account, the
second one to commit finds that the revision has moved, and nothing of its batch is stored.

An atomic batch holds a thousand messages. Where more keys change, they are packed into a few pages, and the
batch is the pages with the account's key; afterwards the values in the pages are spread over their keys.
Until that is done, a load takes the values from the pages.

Plain nats-py: a commit is an atomic batch to a bucket, with a fence. FastStream's part in a bucket is to
watch it and to hand out nats-py's own object.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from uuid import uuid4

import msgspec
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from order_events.subjects import STATE_BUCKET
from reconciler.adapters.atomic_batch import (
    LARGEST_BATCH,
    WRONG_LAST_SEQUENCE,
    BatchRefused,
    Message,
    publish_batch,
)
from reconciler.adapters.group_commit import GroupedCalls
from reconciler.adapters.large_values import LARGEST, Changes, LargeValues
from reconciler.adapters.last_values import LastValue, last_values
from reconciler.adapters.retry import until_done
from reconciler.metrics import Metrics
from reconciler.ports.bus import NotOwner, StoredValues

_STREAM = f"KV_{STATE_BUCKET}"
_FENCE = "Nats-Expected-Last-Subject-Sequence"
_FENCE_KEY = "Nats-Expected-Last-Subject-Sequence-Subject"
_COMMIT_ID = "Fillproof-Commit-Id"
_DELETED = {"KV-Operation": "DEL", "Nats-TTL": "3600s"}
"""The server removes the mark after an hour: a load must not grow with all orders that ever were."""
_ACCOUNT = "account"
_PAGE = "page."
_LOADS_AT_ONCE = 64
"""Accounts that one consumer reads."""


class BucketStore:
    """Keys are `<network_id>.<account>.account` and `<network_id>.<account>.order.<sequence>`."""

    def __init__(self, client: Callable[[], Client], metrics: Metrics) -> None:
        """`client`: the bus connection; it raises while there is none."""
        self._client = client
        self._metrics = metrics
        self._large: defaultdict[str, LargeValues] = defaultdict(LargeValues)
        """By prefix."""
        self._pages: dict[str, list[Changes]] = {}
        """By prefix: pages that are stored and not spread yet."""
        self._publish = GroupedCalls(self._publish_together, _fitting)
        self._read = GroupedCalls(self._read_together, lambda prefixes: min(len(prefixes), _LOADS_AT_ONCE))

    async def load(self, prefix: str) -> StoredValues:
        """Return the values under a prefix (see `StateStore`)."""
        return await until_done("loading state", lambda: self._load(prefix), self._metrics)

    async def commit(
        self, prefix: str, values: Mapping[str, bytes], deleted: Sequence[str], fence: int
    ) -> int:
        """Write all values and deletions or none (see `StateStore`).

        Raises:
            NotOwner: another replica has written the account's key.

        """
        await self._spread(prefix, fence)
        changes = self._large[prefix].split({**dict.fromkeys(deleted), **values})
        account = changes.pop(_ACCOUNT)
        if len(changes) < LARGEST_BATCH:
            return await self._committed(prefix, changes, account, fence)
        pages = list(_pages(changes))
        packed: Changes = {
            f"{_PAGE}{number}": msgspec.msgpack.encode(page) for number, page in enumerate(pages)
        }
        revision = await self._committed(prefix, packed, account, fence)
        self._pages[prefix] = pages
        await self._spread(prefix, revision)
        return revision

    async def _committed(self, prefix: str, changes: Changes, account: bytes | None, fence: int) -> int:
        commit_id = uuid4().hex
        last = Message(
            subject=_subject(prefix, _ACCOUNT), payload=account or b"", headers={_COMMIT_ID: commit_id}
        )
        return await self._fenced(prefix, [*_messages(prefix, changes), last], fence, commit_id)

    async def _spread(self, prefix: str, fence: int) -> None:
        """Write the values in the pages to their keys, and delete the pages with the last of them."""
        pages = self._pages.get(prefix)
        if pages is None:
            return
        changes: Changes = {key: value for page in pages for key, value in page.items()}
        changes |= {f"{_PAGE}{number}": None for number in range(len(pages))}
        messages = list(_messages(prefix, changes))
        for first in range(0, len(messages), LARGEST_BATCH):
            await self._fenced(prefix, messages[first : first + LARGEST_BATCH], fence, None)
        del self._pages[prefix]

    async def _fenced(self, prefix: str, batch: list[Message], fence: int, commit_id: str | None) -> int:
        key = _subject(prefix, _ACCOUNT)
        head = batch[0]
        fenced = {**head.headers, _FENCE: str(fence), _FENCE_KEY: key}
        batch = [Message(subject=head.subject, payload=head.payload, headers=fenced), *batch[1:]]

        async def attempt() -> int:
            try:
                return await self._publish(batch)
            except BatchRefused as refusal:
                if refusal.code != WRONG_LAST_SEQUENCE:
                    raise
                return await self._own_revision(key, fence, commit_id)

        return await until_done("committing state", attempt, self._metrics)

    async def _publish_together(self, batches: Sequence[list[Message]]) -> list[int | Exception]:
        """Publish the batches as one, or, if a fence in it does not hold, each by itself.

        Returns the sequence of each one's last message. Thousands of accounts end a ledger at the same time,
        and a batch costs the bus one write to disk.
        """
        client = self._client()
        if len(batches) > 1:
            try:
                last = await publish_batch(client, [message for batch in batches for message in batch])
            except BatchRefused:
                pass
            else:
                behind = [sum(map(len, batches[number + 1 :])) for number in range(len(batches))]
                return [last - messages for messages in behind]
        answers: list[int | Exception] = []
        for batch in batches:
            try:
                answers.append(await publish_batch(client, batch))
            except BatchRefused as refusal:
                answers.append(refusal)
        return answers

    async def _read_together(self, prefixes: Sequence[str]) -> list[list[LastValue] | Exception]:
        return [*await last_values(self._client(), [_subject(prefix, "") for prefix in prefixes])]

    async def _own_revision(self, key: str, fence: int, commit_id: str | None) -> int:
        """Return the key's revision if it is this very commit's, stored by an attempt that seemed to fail."""
        try:
            found = await self._client().jetstream().get_last_msg(_STREAM, key)
        except NotFoundError:
            raise NotOwner(f"expected revision {fence} of {key}, found nothing: the state is lost") from None
        if found.seq and commit_id and (found.headers or {}).get(_COMMIT_ID) == commit_id:
            return found.seq
        raise NotOwner(
            f"expected revision {fence} of {key}, found {found.seq}: another reconciler has gone on with "
            "the account"
        )

    async def _load(self, prefix: str) -> StoredValues:
        found = await self._read(prefix)
        last: Changes = {one.key: one.value for one in found}
        values: Changes = {key: value for key, value in last.items() if value is not None}
        account = next((one for one in reversed(found) if one.key == _ACCOUNT), None)
        packed = {key: values.pop(key) for key in sorted(values) if key.startswith(_PAGE)}
        self._pages.pop(prefix, None)
        if packed:
            self._pages[prefix] = [
                msgspec.msgpack.decode(page or b"", type=Changes) for page in packed.values()
            ]
            for page in self._pages[prefix]:
                values |= page
        stored = {key: value for key, value in values.items() if value is not None}
        return StoredValues(
            values=self._large[prefix].join(stored),
            revision=0 if account is None else account.revision,
        )


def _messages(prefix: str, changes: Changes) -> Iterator[Message]:
    for key, value in changes.items():
        yield Message(
            subject=_subject(prefix, key), payload=value or b"", headers=_DELETED if value is None else {}
        )


def _fitting(batches: Sequence[list[Message]]) -> int:
    """Return how many of the first batches make one together."""
    lengths = accumulate(map(len, batches))
    return sum(length <= LARGEST_BATCH for length in lengths)


def _pages(changes: Changes) -> Iterator[Changes]:
    page: Changes = {}
    size = 0
    for key, value in changes.items():
        size += len(key) + len(value or b"")
        if page and size > LARGEST:
            yield page
            page, size = {}, len(key) + len(value or b"")
        page[key] = value
    yield page


def _subject(prefix: str, key: str) -> str:
    return f"$KV.{STATE_BUCKET}.{prefix}.{key}"
