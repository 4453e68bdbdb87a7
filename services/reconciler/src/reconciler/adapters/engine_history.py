"""The engine history: one account's announcements in full, for ledgers that are past."""

from order_events.subjects import ENGINE_STREAM
from reconciler.adapters.announcements import Border, BusClient, OwnPart, read_own
from reconciler.adapters.retry import until_done
from reconciler.metrics import Metrics
from reconciler.ports.bus import Announced, Announcement, EngineMark

MOST_AT_ONCE = 1000
"""Announcements that are held at a time; a month of them may be millions."""


class JetStreamEngineHistory:
    """Reads the announcements of a backfill's or a rebuild's account (see `EngineFeed`)."""

    def __init__(
        self, client: BusClient, metrics: Metrics, *, last_ledger: int, subject_without_account: bool
    ) -> None:
        """`last_ledger`: the last ledger of interest; what was sent when it was validated is left out."""
        self._client = client
        self._metrics = metrics
        self._last_ledger = last_ledger
        self._border = Border(metrics, None, subject_without_account=subject_without_account)
        self._position = 0

    def follow(self, account: str, after: int, mark: EngineMark | None = None) -> None:  # noqa: ARG002
        """Begin after that sequence."""
        self._position = after

    def forget(self, account: str) -> None:
        """Nothing goes on between two calls."""

    async def announced(self, account: str) -> Announced:
        """Return the next announcements, and whether there are more up to this moment."""
        part, last = await until_done("reading stream ENGINE", lambda: self._read(account), self._metrics)
        self._position = part.upto
        of_interest = (event for _, event in part.announcements if self._is_of_interest(event))
        return Announced(announcements=tuple(of_interest), sequence=part.upto, more=part.upto < last)

    async def _read(self, account: str) -> tuple[OwnPart, int]:
        client = self._client()
        last = (await client.jetstream().stream_info(ENGINE_STREAM)).state.last_seq
        if last < self._position:
            self._position = 0  # the stream has begun anew
        wanted = range(self._position + 1, last + 1)
        part = await read_own(client, self._border, account, wanted, most=MOST_AT_ONCE)
        return part, last

    def _is_of_interest(self, event: Announcement) -> bool:
        sent_after = event.validated_ledger_index
        return sent_after is None or sent_after < self._last_ledger
