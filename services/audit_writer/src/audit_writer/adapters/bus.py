"""Deliveries and dead letters on NATS JetStream."""

import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from audit_writer.ports import Delivery, LetterUndelivered
from order_events.subjects import AUDIT_CONSUMER, DEAD_LETTER_STREAM, dead_letter_subject

ANSWER_SECONDS = 5.0
REASON_LENGTH = 500

log = structlog.stdlib.get_logger("audit_writer.bus")
