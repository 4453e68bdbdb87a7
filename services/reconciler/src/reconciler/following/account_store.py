"""One account in the state bucket: what is committed of it, and what the next commit writes."""

from collections.abc import Mapping, Sequence

import msgspec
import structlog

from offer_lifecycle import AccountRecord, AccountState, LedgerOutcome
from order_events import OrderDisappeared, encode
from reconciler.following import stored_account
from reconciler.following.orders_digest import StoredOrders
from reconciler.following.recent_states import RecentStates
from reconciler.following.stored_account import CommittedAccount, ExtraWrites, StoredAccount
from reconciler.ports.bus import EngineMark, StateStore
from reconciler.safety.account_safety import PolicyOutcome
from reconciler.safety.policy import PolicyState

_log = structlog.get_logger()

MOST_UNACKNOWLEDGED = 400_000
"""Bytes of the disappearances that are stored for the bus: they are written with every ledger."""


class AccountStore:
    """One account's keys in the state bucket."""

    def __init__(self, account: str, store: StateStore) -> None:
        self.committed: CommittedAccount | None = None
        """None: the account is not adopted yet."""
        self.engine_sequence = 0
        """Sequence in stream ENGINE of the last announcement that is applied; the next commit writes it."""
        self.engine_mark: EngineMark | None = None
        """Of the last announcement that is read; the next commit writes it."""
        self.touched: set[int] = set()
        """Sequences of orders that changed since the last commit; the next commit writes them."""
        self.name = account
        """The account's address."""
        self._store = store
        self._prefix = ""
        self._orders = StoredOrders({})
        self._recent = RecentStates()
        self._revision = 0
        """Of the key `account`: it fences the next commit."""

    async def load(self, network_id: int) -> CommittedAccount | None:
        """Read what is committed of the account; None if nothing is.

        Raises:
            StateUnreadable: naming the key.

        """
        self._prefix = f"{network_id}.{self.name}"
        values = await self._store.load(self._prefix)
        self._revision = values.revision
        self.committed = stored_account.read_account(values)
        self._orders = StoredOrders(stored_account.order_values_in(values))
        if self.committed is not None:
            self.engine_sequence = self.committed.stored.engine_sequence
            self.engine_mark = self.committed.stored.engine_mark
        return self.committed

    def begin_after(self, record: AccountRecord, policy_state: PolicyState) -> None:
        """Go on after a ledger of which nothing but the record is known."""
        stored = StoredAccount(record=record, engine_sequence=0, policy_state=policy_state)
        self.committed = CommittedAccount(stored=stored, state=AccountState(record))

    @property
    def damage(self) -> str | None:
        """In which way the stored orders are not those that were committed; None: they are."""
        expected = None if self.committed is None else self.committed.stored.orders
        found = self._orders.digest
        if expected is None or expected == found:
            return None
        return (
            f"expected {expected.count} stored orders with the digest {expected.digest}, found "
            f"{found.count} with {found.digest}"
        )

    def replace_stored(self, **changes: object) -> None:
        """Change fields of what is committed in memory; the next commit writes them."""
        committed = self.require_committed()
        stored = msgspec.structs.replace(committed.stored, **changes)
        self.committed = CommittedAccount(stored=stored, state=committed.state)

    def require_committed(self) -> CommittedAccount:
        """Return what is committed.

        Raises:
            RuntimeError: nothing is.

        """
        if self.committed is None:
            raise RuntimeError(
                f"expected account {self.name} to be adopted, found nothing committed: advance it first"
            )
        return self.committed

    async def commit(
        self,
        state: AccountState,
        decided: PolicyOutcome,
        extra: ExtraWrites,
        outcome: LedgerOutcome | None = None,
    ) -> None:
        """Write the account's record and its changed orders in one batch, fenced by the last commit.

        `outcome`: the ledger's that is committed; None: between two ledgers.

        Raises:
            NotOwner: another replica has committed for the account; nothing is written.

        """
        changed = stored_account.changed_orders(state, outcome, self.touched)
        forgotten = [stored_account.order_key(sequence) for sequence in outcome.forgotten] if outcome else []
        values = stored_account.order_values(changed)
        before = PolicyState() if self.committed is None else self.committed.stored.policy_state
        stored = StoredAccount(
            record=decided.record,
            engine_sequence=self.engine_sequence,
            engine_mark=self.engine_mark,
            orders=self._orders.after(values, forgotten),
            unacknowledged=self._bounded(extra.unacknowledged),
            policy_state=decided.policy_state,
            history_gaps=extra.history_gaps,
            unexplained_removals=extra.unexplained_removals,
        )
        notice, answered = stored_account.halt_notice(before, decided.policy_state)
        former = self.committed
        await self._write(
            stored, {**values, **extra.values, **notice}, [*extra.deleted, *answered, *forgotten]
        )
        self._orders.update(values, forgotten)
        self.touched.clear()
        self.committed = CommittedAccount(stored=stored, state=state)
        if extra.values or extra.deleted:
            self._recent.forget()  # a history gap began or ended
        elif former is not None and outcome is not None:
            self._recent.note(former.stored, state, [*outcome.changed, *outcome.forgotten])

    async def take_back_recent_ledgers(self) -> bool:
        """Commit the account as it was before the last ledgers; False: none of them is remembered.

        A halt stays, and so does what waits for the bus of earlier ledgers.

        Raises:
            NotOwner: another replica has committed for the account; nothing is written.

        """
        taken, now = self._recent.take_oldest(), self.require_committed()
        if taken is None:
            return False
        former, before = taken
        cursor = former.record.ledger_index
        values = stored_account.order_values({key: one for key, one in before.items() if one is not None})
        gone = [stored_account.order_key(sequence) for sequence, one in before.items() if one is None]
        stored = msgspec.structs.replace(
            former,
            orders=self._orders.after(values, gone),
            unacknowledged=tuple(
                one for one in now.stored.unacknowledged if (one.ledger_index or 0) <= cursor
            ),
            policy_state=msgspec.structs.replace(former.policy_state, halted=now.stored.policy_state.halted),
        )
        await self._write(stored, values, gone)
        self._orders.update(values, gone)
        self.touched.clear()
        self.engine_sequence, self.engine_mark = stored.engine_sequence, stored.engine_mark
        orders = [one for one in {**now.state.orders, **before}.values() if one is not None]
        self.committed = CommittedAccount(stored=stored, state=AccountState(stored.record, orders))
        return True

    async def _write(
        self, stored: StoredAccount, values: Mapping[str, bytes], deleted: Sequence[str]
    ) -> None:
        written = {**values, stored_account.ACCOUNT_KEY: stored_account.account_value(stored)}
        self._revision = await self._store.commit(self._prefix, written, deleted, self._revision)

    def _bounded(self, unacknowledged: Sequence[OrderDisappeared]) -> tuple[OrderDisappeared, ...]:
        """Return what fits into the account's record: the state must be written whatever the bus takes."""
        kept, size = 0, 0
        for event in reversed(unacknowledged):
            size += len(encode(event))
            if size > MOST_UNACKNOWLEDGED:
                _log.error(
                    "disappearances given up: the bus has not taken them for too long; they can be read from "
                    "the ledger again",
                    account=self.name,
                    given_up=len(unacknowledged) - kept,
                )
                break
            kept += 1
        return tuple(unacknowledged[len(unacknowledged) - kept :])
