"""What an engine announces of one account: it is applied to the account's orders before each ledger."""

from offer_lifecycle import AccountState
from reconciler.following.account_store import AccountStore
from reconciler.following.continuity import Continuity
from reconciler.following.telling import Telling
from reconciler.ports.bus import EngineFeed

LIVE_LEDGERS = 2
"""An account that is no further behind reads the ledgers as they close."""
MOST_LOOKS = 60
"""At announcements, for late ledgers: half a minute."""


class EngineAnnouncements:
    """The engine's announcements of one account."""

    def __init__(
        self,
        feed: EngineFeed,
        account: AccountStore,
        continuity: Continuity,
        telling: Telling,
        *,
        waits_for_all: bool,
    ) -> None:
        """`waits_for_all`: apply each one before a ledger; False: live ledgers don't wait for a flood.

        Ledgers that are read late wait for it, within a bound: a cancel that the engine announced would be
        called a stranger's.
        """
        self._feed = feed
        self._account = account
        self._continuity = continuity
        self._telling = telling
        self._waits_for_all = waits_for_all
        self.is_behind = False
        """Whether the engine has announced more than what is applied."""

    def follow(self) -> None:
        """Begin after the announcements that are applied to what is committed."""
        self._feed.follow(self._account.name, self._account.engine_sequence, self._account.engine_mark)

    def forget(self) -> None:
        """Stop hearing the engine."""
        self._feed.forget(self._account.name)

    async def apply(self, state: AccountState, newest: int) -> None:
        """Apply what the engine has announced up to this moment; the next commit writes it.

        `newest`: the newest validated ledger.
        """
        self.is_behind = True
        looks = 0
        while self.is_behind:
            announced = await self._feed.announced(self._account.name)
            if announced.lost is not None:
                state.record = self._continuity.note_lost_announcements(state.record, announced.lost, newest)
            if announced.announcements:
                self._telling.note_announcements()
            for announcement in announced.announcements:
                order = state.announce(announcement)
                if order is not None:
                    self._account.touched.add(order.sequence)
            self._account.engine_sequence = announced.sequence
            self._account.engine_mark = announced.mark or self._account.engine_mark
            self.is_behind = announced.more
            looks += 1
            is_late = newest - state.record.ledger_index > LIVE_LEDGERS and looks < MOST_LOOKS
            if not self._waits_for_all and not is_late:
                return
