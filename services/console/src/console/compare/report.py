"""The report: the comparison with its position, population and policies. All that is shown comes from it."""

from collections.abc import Sequence

import msgspec

from console.compare.comparison import Comparison
from console.compare.findings import Finding
from console.compare.ledger import LedgerOrder, LedgerRecord
from console.compare.ledger.record import Watch
from console.compare.policies import PolicyOutcome, policies
from console.compare.population import Population, distance_of, population
from console.compare.position import AssetPosition, PositionStep, positions, steps
from console.compare.verdicts import Judged

AGREES, DIFFERS, NOT_CHECKED = 0, 1, 3
"""Exit statuses; 2 is bad input."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that a report shows."""

    comparison: Comparison
    findings: Sequence[Finding]
    """The worst first."""
    positions: Sequence[AssetPosition]
    steps: Sequence[PositionStep]
    population: Population
    policies: Sequence[PolicyOutcome]

    @property
    def judged(self) -> Judged:
        """What was found, and what agrees."""
        return self.comparison.judged

    @property
    def status(self) -> int:
        """The exit status."""
        if self.findings:
            return DIFFERS
        gaps = any(covered.gaps for covered in self.comparison.reading.coverage)
        return NOT_CHECKED if self.judged.not_checked or gaps else AGREES

    @property
    def verdict(self) -> str:
        """The verdict in one sentence."""
        if self.findings:
            many = f"{len(self.findings)} findings" if len(self.findings) > 1 else "1 finding"
            return f"The book differs from the ledger: {many}."
        if self.status == NOT_CHECKED:
            return "What could be checked agrees; a part of the book could not be checked."
        return "The book agrees with the ledger."


def make_report(compared: Comparison, record: LedgerRecord, halt_after: int, watch: Watch) -> Report:
    """Add to a comparison what it means."""
    judged = compared.judged
    by_key = {order.key: order for order in compared.reading.orders}
    findings = [_with_distance(finding, by_key, record) for finding in judged.findings]
    findings.sort(key=lambda one: (not one.position, -one.worth, one.account, one.sequence or 0, one.id))
    return Report(
        comparison=compared,
        findings=findings,
        positions=positions(judged),
        steps=steps(findings),
        population=population(judged, record, lambda done, of: watch("markets of ended orders", done, of)),
        policies=policies(judged, halt_after),
    )


def _with_distance(
    finding: Finding, by_key: dict[tuple[str, int], LedgerOrder], record: LedgerRecord
) -> Finding:
    order = by_key.get((finding.account, finding.sequence or 0))
    if order is None:
        return msgspec.structs.replace(finding, why_no_distance="the ledger has no such order")
    if order.distance_bps is not None and finding.ledger.time == order.end:
        return msgspec.structs.replace(finding, distance_bps=order.distance_bps)
    at = finding.ledger.ledger_index or (order.placed.ledger_index if order.placed is not None else None)
    if at is None:
        return msgspec.structs.replace(finding, why_no_distance="no ledger of the order was read")
    away, why = distance_of(order, record, at - 1)
    return msgspec.structs.replace(finding, distance_bps=away, why_no_distance=why)
