"""The safety of one account: its deployment's policy, its balances, and its operator's answer.

Nothing is published, committed or remembered here: each method returns an outcome, and the follower publishes
and commits it.
"""

from collections.abc import Sequence

import msgspec
import structlog

from ledger_client import LedgerServer, ServerError, ledger_header
from offer_lifecycle import (
    AccountRecord,
    Header,
    LedgerFacts,
    LedgerOutcome,
)
from order_events import BalanceDrift, InvariantBroken, OrderEvent, OrdersEvent
from reconciler.metrics import Metrics
from reconciler.ports.operator import Operator
from reconciler.safety.balance_check import BalanceBaseline, BalanceSchedule, add_up_ledger
from reconciler.safety.ledger_invariants import broken_invariant_events, report_broken_invariant
from reconciler.safety.opening_balances import OtherServer, confirm_opening, no_other_server
from reconciler.safety.policy import (
    ContinuityBreak,
    Policy,
    PolicyState,
    apply_drift,
    apply_policy,
    halt,
    withdraw,
)
from reconciler.safety.slots import CheckSlots

_log = structlog.get_logger()

_HOLD = Policy()


class PolicyOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The events to publish, and the record and policy state to commit after them."""

    events: list[OrdersEvent]
    record: AccountRecord
    policy_state: PolicyState


class SharedSafety:
    """What the safety of all accounts shares; by default everything is held and nothing halts."""

    def __init__(
        self,
        *,
        policy: Policy = _HOLD,
        check_ledgers: int = 0,
        operator: Operator | None = None,
        metrics: Metrics | None = None,
        other_server: OtherServer = no_other_server,
    ) -> None:
        """`check_ledgers`: ledgers between two checks of the balances; 0: balances are not followed.

        `other_server`: where opening balances are looked at a second time.
        """
        self.other_server = other_server
        self.policy = policy
        self.check_ledgers = check_ledgers
        self.operator = operator
        self.metrics = metrics
        self.slots = CheckSlots()


class AccountSafety:
    """One account's safety."""

    def __init__(self, account: str, shared: SharedSafety) -> None:
        self._account = account
        self._shared = shared
        self._schedule = BalanceSchedule(shared.check_ledgers, shared.slots, shared.other_server)

    def start_at(self, ledger_index: int, stored: PolicyState) -> PolicyState:
        """Return the policy state with which the account is followed from a ledger on.

        Balances that no baseline is stored for are known from this ledger on.
        """
        baseline = stored.balances or BalanceBaseline(explained_at=ledger_index)
        return msgspec.structs.replace(stored, balances=baseline if self._shared.check_ledgers else None)

    async def confirm_opening(self, server: LedgerServer, record: AccountRecord) -> AccountRecord:
        """Look at the balances of an account that was just adopted a second time (see `opening_balances`)."""
        if not self._shared.check_ledgers:
            return record
        return await confirm_opening(server, self._shared.other_server, record)

    def decide_ledger(
        self, state: PolicyState, record: AccountRecord, facts: LedgerFacts, outcome: LedgerOutcome
    ) -> PolicyOutcome:
        """Decide on what came out at the ledger after the record, and add up its balances."""
        policy, header = self._shared.policy, facts.header
        state, events = apply_policy(policy, state, outcome, header)
        if state.balances is not None:
            baseline, drifts = add_up_ledger(record, state.balances, facts)
            state = msgspec.structs.replace(state, balances=baseline)
            state, more = apply_drift(policy, state, drifts, outcome.record, header)
            events += more
        events += broken_invariant_events(record.network_id, header, facts.transactions)
        return PolicyOutcome(events=events, record=outcome.record, policy_state=state)

    def decide_beginning(
        self, state: PolicyState, outcome: LedgerOutcome, header: Header
    ) -> list[OrderEvent]:
        """Return the orders' events of a ledger's beginning, as `decide_ledger` will give them."""
        _, events = apply_policy(self._shared.policy, state, outcome, header)
        return [event for event in events if isinstance(event, OrderEvent)]

    def decide_after_gap(self, state: PolicyState, outcome: LedgerOutcome, header: Header) -> PolicyOutcome:
        """Decide on orders that are gone after a history gap; at `header` all balances were seen again."""
        state, events = apply_policy(self._shared.policy, state, outcome, header)
        if state.balances is not None:
            state = msgspec.structs.replace(state, balances=BalanceBaseline(explained_at=header.ledger_index))
        return PolicyOutcome(events=events, record=outcome.record, policy_state=state)

    def halt(
        self, decided: PolicyOutcome, breaks: Sequence[ContinuityBreak], header: Header
    ) -> PolicyOutcome:
        """Halt the account if the bus holds of its past what was not stored there."""
        if not breaks:
            return decided
        state, events = halt(self._shared.policy, decided.policy_state, breaks, decided.record, header)
        return PolicyOutcome(events=[*decided.events, *events], record=decided.record, policy_state=state)

    @staticmethod
    def accept_correction(state: PolicyState, outcome: LedgerOutcome) -> PolicyOutcome:
        """Publish corrections, and withdraw the fills presumed wrongly; only an operator lifts a halt."""
        state, withdrawals = withdraw(state, outcome)
        return PolicyOutcome(
            events=[*outcome.events, *withdrawals], record=outcome.record, policy_state=state
        )

    async def check_balances(
        self, server: LedgerServer, state: PolicyState, record: AccountRecord
    ) -> PolicyOutcome | None:
        """Compare the balances with the server's; None: no check is due, or no answer came."""
        check = await self._schedule.check_if_due(server, record, state.balances)
        if check is None:
            return None
        state = msgspec.structs.replace(state, balances=check.baseline, drift=None)
        events: list[OrdersEvent] = []
        if check.drifts:
            try:
                header = await ledger_header(server, record.ledger_index)
            except ServerError as error:
                self._schedule.note_no_answer(record, str(error))
                return None
            state, events = apply_drift(self._shared.policy, state, check.drifts, record, header)
        return PolicyOutcome(events=events, record=check.record, policy_state=state)

    async def resume_if_answered(self, state: PolicyState, record: AccountRecord) -> PolicyOutcome | None:
        """Lift the account's halt if an operator has answered it; None: no halt, or no answer to it."""
        halted, operator = state.halted, self._shared.operator
        if halted is None or operator is None:
            return None
        answer = await operator.read_answer(f"{record.network_id}.{record.account}")
        if answer is None or answer.answers != halted.event_id:
            return None
        state = msgspec.structs.replace(state, halted=None, unresolved=0, drift=None)
        return PolicyOutcome(events=[answer], record=record, policy_state=state)

    def report(self, before: PolicyState, committed: PolicyOutcome) -> None:
        """Log and count what a commit has changed for the operator: drift, a halt, a resumption."""
        for event in committed.events:
            if isinstance(event, BalanceDrift):
                self._report_drift(event)
            if isinstance(event, InvariantBroken):
                report_broken_invariant(event, self._shared.metrics)
        halted = committed.policy_state.halted
        if halted is not None and halted != before.halted:
            _log.error("halted until an operator resumes it", account=self._account, reason=halted.reason)
        if halted is None and before.halted is not None:
            _log.warning("resumed by an operator", account=self._account)

    def report_ledger(self, outcome: LedgerOutcome) -> None:
        """Log and count what a ledger leaves open."""
        for reason in outcome.unresolved:
            _log.warning("not concluded from the ledger", account=self._account, reason=reason)
        if self._shared.metrics is not None:
            self._shared.metrics.unresolved_parts.inc(len(outcome.unresolved))

    def _report_drift(self, drift: BalanceDrift) -> None:
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
