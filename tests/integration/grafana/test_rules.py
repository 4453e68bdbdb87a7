"""Each rule over the audit database stays quiet, fires and resolves, on what really happened."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pytest
from audit_tables import execute
from engine_books.comparing import compared
from grafana_files import AUDIT, dashboard, rules, sql_queries
from grafana_files import DASHBOARDS as FILES
from grafana_macros import View
from pydantic import SecretStr
from sample_events import SAMPLES

from audit_writer.maintain import maintain
from audit_writer.settings import MaintenanceSettings
from console.acknowledge import acknowledge
from console.compare.store import store_findings
from order_events import (
    BalanceDrift,
    InvariantBroken,
    OrderFilled,
    OrdersEvent,
    OrderStatus,
    ReconcilerHalted,
    ReconcilerResumed,
    RemovalReason,
    decode,
    event_id,
)

if TYPE_CHECKING:
    from integration.grafana.conftest import Audit

pytestmark = pytest.mark.stack

RULES: dict[str, dict[str, Any]] = {
    rule["title"]: rule for rule in rules() if rule["data"][0]["datasourceUid"] == AUDIT
}
PANELS = dict(sql_queries())
BOOKS = Path(__file__).parents[2] / "data" / "engines"
Told = TypeVar("Told", bound=OrdersEvent)


def sample(name: str, kind: type[Told]) -> Told:
    """Return the golden sample of that name."""
    event = decode((SAMPLES / f"{name}.json").read_bytes())
    assert isinstance(event, kind)
    return event


def fires(audit: Audit, title: str) -> bool:
    """Say whether the rule would fire now: its query, the last value, its threshold."""
    query, reduced, threshold = (step["model"] for step in RULES[title]["data"])
    assert (reduced["type"], reduced["expression"], reduced["reducer"]) == ("reduce", query["refId"], "last")
    assert (threshold["type"], threshold["expression"]) == ("threshold", reduced["refId"])
    assert RULES[title]["condition"] == threshold["refId"]
    [condition] = threshold["conditions"]
    [row] = audit.ask(query["rawSql"])
    assert condition["evaluator"]["type"] == "gt"
    [least] = condition["evaluator"]["params"]
    return bool(row["value"] > least)


def firing(audit: Audit) -> set[str]:
    return {title for title in RULES if fires(audit, title)}


def play(audit: Audit, *sessions: str) -> None:
    """Write the events of these sessions."""
    audit.write([event for event in audit.events if event.session_id in sessions])


def settle(audit: Audit) -> None:
    """Acknowledge everything that is open."""
    found = audit.ask("SELECT event_id::text FROM dashboard.open_anomaly")
    acknowledge(audit.dsn(), [row["event_id"] for row in found], by="mia", note="looked at")


def test_one_anomaly_warns_three_are_bad_and_acknowledged_ones_are_over(empty_audit: Audit) -> None:
    assert firing(empty_audit) == set()
    play(empty_audit, "full_fill", "canceled", "cancel_race_lost")
    assert firing(empty_audit) == set()
    play(empty_audit, "canceled_elsewhere")
    assert firing(empty_audit) == {"OrderAnomaliesOpen"}
    play(empty_audit, "unfunded_removed", "self_crossed")
    assert firing(empty_audit) == {"OrderAnomaliesOpen", "OrderAnomaliesMany"}
    settle(empty_audit)
    assert firing(empty_audit) == set()


def test_what_is_open_stands_above_what_was_acknowledged_and_only_it_is_counted_as_lost(
    empty_audit: Audit,
) -> None:
    play(empty_audit, "never_placed", "self_crossed", "unfunded_removed")
    unknown = "SELECT event_id::text FROM dashboard.open_anomaly WHERE removal_reason = 'UNKNOWN'"
    found = empty_audit.ask(unknown)
    acknowledge(empty_audit.dsn(), [row["event_id"] for row in found], by="mia", note="looked at")
    states = [row["state"] for row in empty_audit.ask(PANELS["Anomalies"])]
    assert [state.split(" (")[0] for state in states] == ["open", "open", "acknowledged by mia"]
    [lost] = empty_audit.ask(PANELS["LOST orders"])
    assert list(lost.values()) == [0]


def test_a_lost_order_fires_until_somebody_has_looked(empty_audit: Audit) -> None:
    play(empty_audit, "never_placed")
    assert firing(empty_audit) == {"OrderLost"}
    settle(empty_audit)
    assert firing(empty_audit) == set()


def test_a_lost_order_fires_until_a_ledger_tells_how_it_ended(empty_audit: Audit) -> None:
    play(empty_audit, "never_placed")
    lost = next(event for event in empty_audit.events if event.session_id == "never_placed")
    fill = next(event for event in empty_audit.events if isinstance(event, OrderFilled))
    name = event_id(
        network_id=0,
        kind="order.filled",
        account=lost.account,
        sequence=lost.sequence,
        transaction_hash=fill.transaction_hash,
    )
    found = msgspec.structs.replace(
        fill,
        event_id=name,
        account=lost.account,
        sequence=lost.sequence,
        status=OrderStatus.FILLED,
        removal_reason=RemovalReason.FILLED,
    )
    empty_audit.write([found])
    assert firing(empty_audit) == set()
    [row] = empty_audit.ask("SELECT state FROM dashboard.anomaly")
    assert row == {"state": "answered"}
    causes = empty_audit.ask(PANELS["Causes"])
    assert [(row["cause"], row["orders"]) for row in causes] == [("FILLED", 1)]


def test_a_balance_that_is_not_explained_fires_until_somebody_has_looked(empty_audit: Audit) -> None:
    drift = sample("reconciler.balance_drift.xrp", BalanceDrift)
    empty_audit.write([drift])
    assert firing(empty_audit) == {"BalanceDrift"}
    [row] = empty_audit.ask(PANELS["Balance drift in detail"])
    told = (drift.event_id, drift.currency, drift.amount, drift.since_ledger)
    assert tuple(row[name] for name in ("event_id", "currency", "amount", "since_ledger")) == told
    [anomaly] = empty_audit.ask(PANELS["Anomalies"])
    assert (anomaly["cause"], anomaly["event_id"]) == ("BALANCE_DRIFT", str(drift.event_id))
    settle(empty_audit)
    assert firing(empty_audit) == set()


def test_a_halt_is_shown_until_it_is_resumed(empty_audit: Audit) -> None:
    halted = sample("reconciler.halted", ReconcilerHalted)
    empty_audit.write([halted])
    [row] = empty_audit.ask(PANELS["Halts"])
    assert (row["reason"], row["open"]) == (halted.reason, True)
    day = timedelta(days=1)
    [mark] = empty_audit.ask(
        PANELS["annotation Halts"], View(halted.occurred_at - day, halted.occurred_at + day)
    )
    assert (mark["time"], mark["text"]) == (halted.occurred_at, f"Halted: {halted.reason}")
    resumed = sample("reconciler.resumed", ReconcilerResumed)
    empty_audit.write([msgspec.structs.replace(resumed, answers=halted.event_id)])
    [row] = empty_audit.ask(PANELS["Halts"])
    assert (row["open"], row["resumed_by"], row["note"]) == (False, resumed.resumed_by, resumed.note)


def test_a_database_fires_once_it_takes_four_fifths_of_what_it_may(empty_audit: Audit) -> None:
    evaluator = RULES["DatabaseFullSoon"]["data"][-1]["model"]["conditions"][0]["evaluator"]
    panels = [panel for path in FILES for panel in dashboard(path)["panels"]]
    [panel] = [panel for panel in panels if panel["title"] == "Database size"]
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] == evaluator["params"][0]
    assert not fires(empty_audit, "DatabaseFullSoon")
    may_take(empty_audit, 1_000_000)
    assert fires(empty_audit, "DatabaseFullSoon")
    may_take(empty_audit, 1_000_000_000)
    assert not fires(empty_audit, "DatabaseFullSoon")


def may_take(audit: Audit, limit_bytes: int) -> None:
    settings = MaintenanceSettings(
        owner_database_url=SecretStr(audit.dsn()), database_limit_bytes=limit_bytes
    )
    asyncio.run(maintain(settings))


def test_a_transaction_that_does_not_add_up_is_shown(empty_audit: Audit) -> None:
    broken = sample("ledger.invariant_broken", InvariantBroken)
    empty_audit.write([broken])
    day = timedelta(days=1)
    view = View(broken.occurred_at - day, broken.occurred_at + day)
    [row] = empty_audit.ask(PANELS["Transactions that do not add up"], view)
    told = (broken.transaction_hash, broken.ledger_index, broken.account, str(broken.event_id))
    assert (row["transaction"], row["ledger_index"], row["address"], str(row["event_id"])) == told
    assert firing(empty_audit) == set()


def test_a_book_that_differs_fires_for_a_day_and_is_shown(empty_audit: Audit) -> None:
    [book] = BOOKS.glob("generic_random_amm_3.csv")
    findings = compared("random_amm_3", [book]).judged.findings
    store_findings(empty_audit.dsn(), findings, "digest")
    assert firing(empty_audit) == {"BookDiffers"}
    later = View(empty_audit.view.end, empty_audit.view.end + timedelta(days=1))
    rows = empty_audit.ask(PANELS["Books that differ from the ledger"], later)
    told = Counter((row["kind"], row["what differs"], row["worth"], row["address"]) for row in rows)
    assert told == Counter((one.kind.value, one.text, one.worth, one.account) for one in findings)
    other = later._replace(accounts=("rrrrrrrrrrrrrrrrrrrrBZbvji",))
    assert empty_audit.ask(PANELS["Books that differ from the ledger"], other) == []
    day_later = "UPDATE book_finding SET found_at = found_at - interval '25 hours'"
    asyncio.run(execute(empty_audit.dsn(), day_later))
    assert firing(empty_audit) == set()
    assert empty_audit.ask(PANELS["Books that differ from the ledger"], later) == []


def test_what_is_about_an_account_is_about_no_order(empty_audit: Audit) -> None:
    empty_audit.write([sample("reconciler.balance_drift", BalanceDrift)])
    assert empty_audit.ask("SELECT * FROM dashboard.order_state") == []


def test_a_presumed_fill_is_no_trade(empty_audit: Audit) -> None:
    empty_audit.write([sample("order.filled.presumed", OrderFilled)])
    [row] = empty_audit.ask(PANELS["Fills"])
    assert list(row.values()) == [0]
