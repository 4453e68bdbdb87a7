"""What stands beside the fold of one account: its deployment's policy, its balances, its operator.

Nothing is published or committed here: each method returns what is, and takes effect with `settle`.
"""

import msgspec
import structlog

from ledger_client.questions import ledger_header
from ledger_client.server import LedgerServer, ServerError
from offer_lifecycle import AccountRecord, Header, LedgerFacts, LedgerOutcome
from order_events import BalanceDrift, OrdersEvent
from reconciler.metrics import Metrics
from reconciler.ports.operator import Operator
from reconciler.safety.balance_check import KeptBalances, Schedule, taken
from reconciler.safety.policy import Policy, Standing, drifted, judge
from reconciler.safety.slots import Turns

_log = structlog.get_logger()


_HOLD = Policy()
_NEW = Standing()


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be published first, and committed then."""

    events: list[OrdersEvent]
    record: AccountRecord
    standing: Standing


class Guards:
    """What the guards of all accounts share; by default everything is held and nothing halts."""

    def __init__(
        self,
        *,
        policy: Policy = _HOLD,
        check_ledgers: int = 0,
        operator: Operator | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """`check_ledgers`: ledgers between two checks of the balances; 0: they are not followed."""
        self.policy = policy
        self.check_ledgers = check_ledgers
        self.operator = operator
        self.metrics = metrics
        self.turns = Turns()


class Guard:
    """One account's."""

    def __init__(self, account: str, shared: Guards) -> None:
        self.standing = Standing()
        self._account = account
        self._shared = shared
        self._schedule = Schedule(shared.check_ledgers, shared.turns)

    def begin(self, ledger_index: int, kept: Standing = _NEW) -> Standing:
        """Stand where the account is taken up: its balances are known up to there, or since what is kept."""
        balances = kept.balances or KeptBalances(explained_at=ledger_index)
        self.standing = msgspec.structs.replace(
            kept, balances=balances if self._shared.check_ledgers else None
        )
        return self.standing

    def judge(self, record: AccountRecord, facts: LedgerFacts, outcome: LedgerOutcome) -> Judged:
        """Judge the ledger after the record."""
        policy, header = self._shared.policy, facts.header
        standing, events = judge(policy, self.standing, outcome, header)
        if standing.balances is not None:
            balances, drifts = taken(record, standing.balances, facts)
            standing = msgspec.structs.replace(standing, balances=balances)
            standing, more = drifted(policy, standing, drifts, outcome.record, header)
            events += more
        return Judged(events=events, record=outcome.record, standing=standing)

    def left_out(self, outcome: LedgerOutcome, header: Header) -> Judged:
        """Judge what is gone after ledgers that were not read; at `header` the balances were seen again."""
        standing, events = judge(self._shared.policy, self.standing, outcome, header)
        if standing.balances is not None:
            balances = KeptBalances(explained_at=header.ledger_index)
            standing = msgspec.structs.replace(standing, balances=balances)
        return Judged(events=events, record=outcome.record, standing=standing)

    def corrected(self, outcome: LedgerOutcome) -> Judged:
        """Let corrections pass: an operator who was called stays called."""
        return Judged(events=list(outcome.events), record=outcome.record, standing=self.standing)

    async def checked(self, server: LedgerServer, record: AccountRecord) -> Judged | None:
        """Hold the balances against the server's, if that is due; None: it is not, or there is no answer."""
        found = await self._schedule.check(server, record, self.standing.balances)
        if found is None:
            return None
        standing = msgspec.structs.replace(self.standing, balances=found.balances)
        events: list[OrdersEvent] = []
        if found.drifts:
            try:
                header = await ledger_header(server, record.ledger_index)
            except ServerError as error:
                self._schedule.unanswered(record, str(error))
                return None
            standing, events = drifted(self._shared.policy, standing, found.drifts, record, header)
        return Judged(events=events, record=found.record, standing=standing)

    async def resumed(self, record: AccountRecord) -> Judged | None:
        """Return the account as it goes on after an operator has answered its halt; None: nobody has."""
        halted, operator = self.standing.halted, self._shared.operator
        if halted is None or operator is None:
            return None
        answer = await operator.resume(f"{record.network_id}.{record.account}")
        if answer is None or answer.answers != halted.event_id:
            return None
        standing = msgspec.structs.replace(self.standing, halted=None, unresolved=0)
        return Judged(events=[answer], record=record, standing=standing)

    def settle(self, judged: Judged) -> None:
        """Go on from what is published and committed now."""
        before, self.standing = self.standing, judged.standing
        for event in judged.events:
            if isinstance(event, BalanceDrift):
                self._tell_drift(event)
        halted = self.standing.halted
        if halted is not None and before.halted is None:
            _log.error("halted until an operator resumes it", account=self._account, reason=halted.reason)
        if halted is None and before.halted is not None:
            _log.warning("resumed by an operator", account=self._account)

    def _tell_drift(self, drift: BalanceDrift) -> None:
        if self._shared.metrics is not None:
            self._shared.metrics.balance_drifts.inc()
        _log.error(
            "a balance is not what fills, fees and payments explain",
            account=self._account,
            currency=drift.currency,
            issuer=drift.issuer,
            amount=str(drift.amount),
            since_ledger=drift.since_ledger,
            found_at=drift.ledger_index,
        )
