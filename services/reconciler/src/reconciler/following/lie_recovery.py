"""Recovery from a lie that was committed: a server's stream has not shown what its ledgers hold.

That a ledger is quiet is believed to a stream, and samples of them are held against their bytes
(`WholeLedgerServer`). Where a sample differs, the account goes back before its last ledgers and reads them
again, whole. What was told of them is compared like anything that is told: what is so is not told twice, and
what is not so is withdrawn.
"""

import structlog

from ledger_client import Contradicted, LedgerServer, stream_of
from reconciler.following.account_start import AccountStart
from reconciler.following.account_store import AccountStore
from reconciler.following.continuity import Continuity
from reconciler.following.engine_announcements import EngineAnnouncements
from reconciler.following.watermark import Watermark

_log = structlog.get_logger()


class LieRecovery:
    """One account's way back; only once for a server, as nothing of its stream is believed from then on."""

    def __init__(
        self,
        *,
        account: AccountStore,
        announcements: EngineAnnouncements,
        continuity: Continuity,
        start: AccountStart,
        watermark: Watermark,
    ) -> None:
        self._account = account
        self._announcements = announcements
        self._continuity = continuity
        self._start = start
        self._watermark = watermark
        self._done: set[str] = set()
        """The servers whose lies were taken back."""

    async def take_back_if_lied_to(self, server: LedgerServer) -> None:
        """Go back before the last ledgers where the server's stream was found to lie.

        Raises:
            Contradicted: so that the server is put aside by name.

        """
        stream = stream_of(server)
        if stream is None or stream.lied_at is None or server.name in self._done:
            return
        self._done.add(server.name)
        if await self._account.take_back_recent_ledgers():
            record = self._account.require_committed().stored.record
            _log.error(
                "a stream has not shown what its ledger holds: the last ledgers are read again, whole",
                account=self._account.name,
                server=server.name,
                lied_at=stream.lied_at,
                again_after=record.ledger_index,
            )
            self._announcements.forget()
            self._announcements.follow()
            self._watermark.restart_after(record.ledger_index)
            await self._continuity.note_taken_back(record)
            await self._start.recall_told(record)
        raise Contradicted(
            server.name,
            f"stream: expected the transactions that ledger {stream.lied_at} holds, found others; the last "
            "ledgers are read again",
        )
