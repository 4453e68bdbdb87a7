"""What the audit writer counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

STORED = "stored"
MALFORMED = "malformed"
"""Set apart: no order event."""
REFUSED = "refused"
"""Set apart: an order event that the database refuses for what is in it."""

BATCH_SIZES = (1, 5, 10, 50, 100, 200, 300, 400, 500, 1_000)


class Metrics:
    """The audit writer's metrics, in a registry of their own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.events = Counter(
            "audit_writer_events",
            "Events by what became of them: stored (new or not), malformed or refused (dead letters).",
            ["event_type", "result"],
            registry=registry,
        )
        self.duplicates = Counter(
            "audit_writer_duplicates", "Events that were stored already.", registry=registry
        )
        self.batch_size = Histogram(
            "audit_writer_batch_size", "Messages in a batch.", buckets=BATCH_SIZES, registry=registry
        )
        self.batch_seconds = Histogram(
            "audit_writer_batch_seconds", "Seconds from a batch's arrival to its end.", registry=registry
        )
        self.store_failures = Counter(
            "audit_writer_store_failures", "Writes that the database did not take.", registry=registry
        )
        self.held = Gauge(
            "audit_writer_held_messages",
            "Messages that wait in a batch which the database does not take.",
            registry=registry,
        )
        self.missing = Gauge(
            "audit_writer_missing_messages",
            "Messages of stream ORDERS that were lost before they were stored.",
            registry=registry,
        )
        self.database_damaged = Gauge(
            "audit_writer_database_damaged",
            "1 if a statement met a damaged page of the database in the last minute, else 0.",
            registry=registry,
        )
        self.last_commit = Gauge(
            "audit_writer_last_commit_timestamp_seconds",
            "When a batch was last committed.",
            registry=registry,
        )
        self.checkpoint_position = Gauge(
            "audit_writer_checkpoint_position",
            "Position in the chain of the last checkpoint that this replica signed.",
            registry=registry,
        )
        self.chain_checked = Gauge(
            "audit_writer_chain_checked_timestamp_seconds",
            "When the chain was last found to go on from the newest checkpoint; 0: no key signs checkpoints.",
            registry=registry,
        )
        self.chain_forked = Gauge(
            "audit_writer_chain_forked",
            "1 while the chain in the database does not contain the newest checkpoint, else 0.",
            registry=registry,
        )
        self.checkpoint_copies_failed = Counter(
            "audit_writer_checkpoint_copies_failed",
            "Copies of checkpoints that a directory or webhook did not take.",
            registry=registry,
        )
        self.reader_sessions_ended = Counter(
            "audit_writer_reader_sessions_ended",
            "Sessions of grafana_reader that were ended for holding others up.",
            registry=registry,
        )
        self.bus_connected = Gauge(
            "audit_writer_bus_connected", "1 while NATS is connected, else 0.", registry=registry
        )
        self.pending = Gauge(
            "audit_writer_pending",
            "Messages not yet delivered to any replica.",
            ["stream"],
            registry=registry,
        )
        self.unacknowledged = Gauge(
            "audit_writer_unacknowledged",
            "Messages delivered and not yet acknowledged.",
            ["stream"],
            registry=registry,
        )
        self.redelivered = Gauge(
            "audit_writer_redelivered",
            "Messages delivered more than once and not yet acknowledged.",
            ["stream"],
            registry=registry,
        )
