"""What the reconciler counts; the names are a contract with dashboards and alerts."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

EVENT_DELAYS = (0.5, 1, 2, 3, 5, 8, 13, 21, 34, 55, 120, 600)
"""Seconds. A ledger's close time is a whole second, and it is validated some three seconds later."""


class Metrics:
    """All of the process's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.validated_ledger = Gauge(
            "reconciler_validated_ledger",
            "Newest validated ledger that any server has shown",
            registry=registry,
        )
        self.cursor_lag = Gauge(
            "reconciler_cursor_lag_ledgers",
            "Ledgers from the cursor of the account furthest behind to the newest that any server has shown",
            registry=registry,
        )
        self.accounts = Gauge("reconciler_accounts", "Accounts that this replica follows", registry=registry)
        self.replicas = Gauge(
            "reconciler_replicas",
            "Living replicas of the reconciler, this one among them",
            registry=registry,
        )
        self.lease_losses = Counter(
            "reconciler_lease_losses",
            "Accounts with which another replica had gone on: their state was read again",
            registry=registry,
        )
        self.bus_connected = Gauge(
            "reconciler_bus_connected", "1 while the bus takes the lease, else 0", registry=registry
        )
        self.events = Counter(
            "reconciler_events", "Events published, by type", ["event_type"], registry=registry
        )
        self.event_delay = Histogram(
            "reconciler_event_delay_seconds",
            "Time from a ledger's close to its event on the bus; of live events",
            buckets=EVENT_DELAYS,
            registry=registry,
        )
        self.disappearances_owed = Gauge(
            "reconciler_disappearances_owed",
            "Disappearances that the bus has not acknowledged yet; they are offered again",
            registry=registry,
        )
        self.open_gaps = Gauge(
            "reconciler_open_gaps",
            "Ranges of ledgers that no server could show and that were left out, over all accounts",
            registry=registry,
        )
        self.open_orders = Gauge(
            "reconciler_open_orders", "Orders that have not ended, over all accounts", registry=registry
        )
        self.lost_orders = Gauge(
            "reconciler_lost_orders",
            "Orders that are missing and that no transaction explains (yet)",
            registry=registry,
        )
        self.halted = Gauge(
            "reconciler_halted",
            "1 while an account that is followed here waits for an operator",
            registry=registry,
        )
        self.trading_permission = Gauge(
            "reconciler_trading_permission",
            "Accounts of this replica by what their engines may do: ok, reduce_only or stop",
            ["permission"],
            registry=registry,
        )
        self.balance_drifts = Counter(
            "reconciler_balance_drifts",
            "Balances found that fills, fees and payments do not explain",
            registry=registry,
        )
        self.unresolved_parts = Counter(
            "reconciler_unresolved_parts",
            "Trades whose sides do not meet, and types, entries and fields that the kernel does not know",
            registry=registry,
        )
        self.broken_invariants = Counter(
            "reconciler_broken_invariants",
            "Transactions over which XRP, an MPT or a token does not add up",
            registry=registry,
        )
        self.accounts_set_aside = Gauge(
            "reconciler_accounts_set_aside",
            "Accounts that an unexpected exception has set aside; they are tried again",
            registry=registry,
        )
        self.account_faults = Counter(
            "reconciler_account_faults",
            "Unexpected exceptions that have set an account aside",
            registry=registry,
        )
        self.monitor_faults = Counter(
            "reconciler_monitor_faults",
            "Unexpected exceptions in the comparison of servers",
            registry=registry,
        )
        self.malformed_announcements = Counter(
            "reconciler_malformed_announcements",
            "Engine messages that are no announcement, or exceed its bounds: dead letters",
            registry=registry,
        )
        self.bus_retries = Counter(
            "reconciler_bus_retries", "Publications and commits tried again", registry=registry
        )
        self.confirmed_ledger = Gauge(
            "reconciler_confirmed_ledger",
            "Newest ledger that a second server or a quorum of validators has confirmed; 0: none",
            registry=registry,
        )
        self.confirmed_lag_seconds = Gauge(
            "reconciler_confirmed_lag_seconds",
            "Time since a ledger was last confirmed, while a later one is shown; 0: that is not wanted",
            registry=registry,
        )
        self.unconfirmed_ledgers = Counter(
            "reconciler_unconfirmed_ledgers",
            "Ledgers that nobody had confirmed when the waiting ended, where confirmation is wanted",
            registry=registry,
        )
        self.requests = Counter(
            "reconciler_requests",
            "Requests sent to each ledger server",
            ["server"],
            registry=registry,
        )
        self.request_budget = Gauge(
            "reconciler_request_budget",
            "The most requests that each ledger server is sent in a minute; absent without a cap",
            ["server"],
            registry=registry,
        )
        self.requests_waiting = Gauge(
            "reconciler_requests_waiting",
            "Requests that wait until the cap allows them; absent without a cap",
            ["server"],
            registry=registry,
        )
        self.validations = Counter(
            "reconciler_validations",
            "Messages of the streams validations and manifests: kept, passed over (known, or of nobody "
            "listed) or refused (they do not hold)",
            ["result"],
            registry=registry,
        )
        self.validator_lists = Gauge(
            "reconciler_validator_lists",
            "Publishers whose lists of validators are in use",
            registry=registry,
        )
        self.proofs = Counter(
            "reconciler_proofs",
            "Ledgers whose proof was published, confirmed by a quorum or not, or was lost",
            ["result"],
            registry=registry,
        )
        self.proofs_waiting = Gauge(
            "reconciler_proofs_waiting",
            "Committed ledgers whose proof is not published yet",
            registry=registry,
        )
        self.request_seconds = Histogram(
            "reconciler_request_seconds",
            "Time to a ledger server's answer",
            ["server", "method"],
            registry=registry,
        )
        self.request_errors = Counter(
            "reconciler_request_errors",
            "Answers of ledger servers that could not be used",
            ["server", "kind"],
            registry=registry,
        )
        self.readings_failed = Counter(
            "reconciler_readings_failed",
            "Readings of an account given up because of the server, by what was wrong with it",
            ["server", "kind"],
            registry=registry,
        )
        self.server_up = Gauge(
            "reconciler_server_up",
            "1: the server answers and is not put aside, 0: it is not used",
            ["server"],
            registry=registry,
        )
        self.server_validated_ledger = Gauge(
            "reconciler_server_validated_ledger",
            "Newest validated ledger of each server",
            ["server"],
            registry=registry,
        )

    def watch_budget(self, server: str, requests_per_minute: int, waiting: Callable[[], int]) -> None:
        """Show a server's cap on requests, and how many wait for it."""
        self.request_budget.labels(server=server).set(requests_per_minute)
        self.requests_waiting.labels(server=server).set_function(waiting)
