"""Stream PROOFS: each proof is tried once; what does not succeed is tried again by its keeper."""

from collections.abc import Callable
from inspect import cleandoc
from typing import Annotated, Any

import nats.errors
import nats.js.errors
import structlog
from faststream.nats import NatsBroker
from faststream.nats.publisher.usecase import LogicPublisher
from nats.aio.client import Client
from pydantic import Field

from order_events import LedgerProof
from order_events.subjects import PROOFS_STREAM, proof_subject
from reconciler.adapters.atomic_batch import ANSWER_SECONDS
from reconciler.adapters.retry import BUS_ERRORS
from reconciler.ports.proofs import ProofRefused

_log = structlog.get_logger()


class JetStreamProofs:
    """`event_id` is the message id: what is published twice is stored once."""

    def __init__(self, publisher: LogicPublisher, client: Callable[[], Client]) -> None:
        """Publish through `publisher` (see `proofs_publisher`); `client` raises while there is no bus."""
        self._publisher = publisher
        self._client = client

    async def publish(self, proof: LedgerProof) -> bool:
        """Try once to publish a proof (see `ProofsBus`)."""
        try:
            self._client()
            await self._publisher.publish(
                proof,
                subject=proof_subject(proof),
                stream=PROOFS_STREAM,
                timeout=ANSWER_SECONDS,
                headers={"Nats-Msg-Id": str(proof.event_id)},
                correlation_id=str(proof.event_id),
            )
        except (nats.js.errors.NoStreamResponseError, nats.errors.MaxPayloadError) as error:
            raise ProofRefused(
                f"expected stream {PROOFS_STREAM} to take a proof, found {error!r}: provision the streams"
            ) from error
        except BUS_ERRORS as error:
            _log.debug("a proof is not acknowledged", ledger_index=proof.ledger_index, problem=repr(error))
            return False
        return True


def proofs_publisher(broker: NatsBroker) -> LogicPublisher:
    """Declare the publisher of stream PROOFS."""
    return broker.publisher(
        "proof.{ledger_index}",
        title=LedgerProof.__name__,
        description=cleandoc(LedgerProof.__doc__ or ""),
        schema=Annotated[Any, Field(title=LedgerProof.__name__)],
    )
