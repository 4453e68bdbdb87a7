"""The bus: streams and subjects."""

from order_events.engine import CancelRequested, EngineEvent, OrderSubmitted, SessionStarted
from order_events.proofs import LedgerProof
from order_events.reconciler import OrdersEvent

ORDERS_STREAM = "ORDERS"
ORDERS_SUBJECTS = ("order.>", "reconciler.>", "ledger.>")
ENGINE_STREAM = "ENGINE"
_ANNOUNCEMENTS = tuple(
    str(kind.__struct_config__.tag) for kind in (OrderSubmitted, CancelRequested, SessionStarted)
)
ENGINE_SUBJECTS = tuple(subject for announced in _ANNOUNCEMENTS for subject in (announced, f"{announced}.*"))
"""Only what is announced: an engine that makes up subjects would get around the bound of each subject."""
PROOFS_STREAM = "PROOFS"
"""What proves the ledgers; best effort: its loss costs no event."""
PROOFS_SUBJECTS = ("proof.>",)
DEAD_LETTER_STREAM = "DLQ"
DEAD_LETTER_SUBJECTS = ("dlq.>",)
REASON = "Fillproof-Reason"
"""The header of a dead letter that says why it can't be stored; the next three say where it came from."""
REASON_LENGTH = 500
"""Characters: headers are for people; the message itself is in the body."""
ORIGIN_STREAM = "Fillproof-Stream"
ORIGIN_SEQUENCE = "Fillproof-Stream-Sequence"
ORIGIN_SUBJECT = "Fillproof-Subject"
ORIGIN_IDENTITY = "Fillproof-Stream-Created"
"""The header of what is given again that says which stream of that name it came from: when it was created."""
REDELIVERY_STREAM = "REDELIVER"
"""What the audit writer is given again, and nobody else: an engine would take it for news."""
REDELIVERY_PREFIX = "audit.redeliver."
REDELIVERY_SUBJECTS = (f"{REDELIVERY_PREFIX}>",)
CHECKPOINT_STREAM = "CHECKPOINTS"
"""Signed checkpoints of the audit log's chain: the audit writer adds to it, and nobody removes anything."""
CHECKPOINT_SUBJECT = "audit.checkpoint"
CHECKPOINT_SUBJECTS = (CHECKPOINT_SUBJECT,)
FRONTIER = "Fillproof-Frontier"
"""The header of a checkpoint with the hashes that its tree goes on from: hex, separated by spaces."""

STATE_BUCKET = "reconciler"
"""The reconciler's key-value bucket."""
REPLICA_VERSION = "Fillproof-Version"
"""The header of a reconciler's lease in the bucket, `replica.<id>`, that says which version runs."""
WATERMARK_BUCKET = "watermark"
"""The key-value bucket that knows each account's ledger where the state is lost."""
HALT_KEY = "halt"
"""In the bucket, after `<network_id>.<account>.`, while it is halted: the `reconciler.halted` event."""
RESUME_KEY = "resume"
"""Beside it: the `reconciler.resumed` event with which an operator answers; the reconciler publishes it."""
AUDIT_CONSUMER = "audit-writer"
"""The durable that all replicas of the audit writer share."""
DEFAULT_ENGINE = "engine"
"""The engine of a deployment that names none: it has all accounts."""
ANNOUNCEMENT_READER = "reconciler"
"""What refuses announcements, in the subject of their dead letters."""


def order_subject(event: OrdersEvent) -> str:
    """Return `order.<what>.<account>`, `reconciler.<what>.<account>` or `ledger.<what>.<account>`."""
    return f"{event.__struct_config__.tag}.{event.account}"


def proof_subject(proof: LedgerProof) -> str:
    """Return `proof.<ledger index>`."""
    return f"proof.{proof.ledger_index}"


def redelivery_subject(subject: str) -> str:
    """Return where a message of `subject` is given to the audit writer again, however often."""
    return f"{REDELIVERY_PREFIX}{subject.removeprefix(REDELIVERY_PREFIX)}"


def engine_subject(event: OrderSubmitted | CancelRequested | SessionStarted | EngineEvent) -> str:
    """Return the announcement's subject, as `engine.order.submitted.<account>`."""
    return f"{event.__struct_config__.tag}.{event.account}"


def engine_consumer(engine: str, account: str) -> str:
    """Return the name of the consumer of stream ORDERS through which an engine reads an account's events."""
    return f"{engine}-{account}"


def account_events(account: str) -> str:
    """Return the filter of all events about an account."""
    return f"*.*.{account}"


def account_order_events(account: str) -> str:
    """Return the filter of all events about an account's orders."""
    return f"order.*.{account}"


def own_announcements(account: str, *, subject_without_account: bool) -> tuple[str, ...]:
    """Return the filters of what the account's engine announces; engines of version 0.1 name no account."""
    return (f"engine.*.*.{account}", *(("engine.*.*",) if subject_without_account else ()))


def dead_letter_subject(origin: str) -> str:
    """Return where a message that can't be stored goes; `origin` is the consumer that refused it."""
    return f"dlq.{origin}"


def one_line(reason: str) -> str:
    """Return the reason as a header can carry it: one line of ASCII, at most 500 characters."""
    plain = " ".join(reason.split()).encode("ascii", "backslashreplace").decode()
    return plain[:REASON_LENGTH]
