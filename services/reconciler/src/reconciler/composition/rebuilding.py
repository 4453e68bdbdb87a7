"""The rebuild of one account's events, with its adapters."""

import time
from functools import partial

from faststream.nats import NatsBroker
from faststream.nats.publisher.usecase import LogicPublisher

from ledger_client import (
    LedgerServer,
)
from ledger_proof import CheckedValidations
from reconciler.adapters.engine_history import JetStreamEngineHistory
from reconciler.adapters.event_publishers import EventPublishers
from reconciler.adapters.ledger_market import LedgerMarket
from reconciler.adapters.proofs_bus import JetStreamProofs
from reconciler.adapters.redelivery import JetStreamRedelivery
from reconciler.adapters.state_store import BucketStore
from reconciler.backfill.range_rebuild import (
    LedgerRange,
    RangeProofs,
    RebuildResult,
    find_adoption,
    rebuild,
)
from reconciler.composition.bus_access import connected_client
from reconciler.metrics import Metrics
from reconciler.proofs.blob_reader import BlobReader
from reconciler.proofs.proof_keeper import ProofKeeper
from reconciler.proofs.validation_feed import ValidationFeed


async def rebuild_account(  # noqa: PLR0913 - what is the same for all accounts, by keyword
    account: str,
    *,
    network_id: int,
    wanted: LedgerRange,
    subject_without_account: bool,
    broker: NatsBroker,
    publishers: EventPublishers,
    proofs: LogicPublisher,
    servers: list[LedgerServer],
) -> RebuildResult:
    """Rebuild one account's events of a range of ledgers, for the audit writer (see `rebuild`)."""
    client, metrics = partial(connected_client, broker), Metrics()
    return await rebuild(
        account,
        await find_adoption(BucketStore(client, metrics), network_id, account, wanted),
        wanted,
        servers=servers,
        feed=JetStreamEngineHistory(
            client,
            metrics,
            last_ledger=wanted.last,
            subject_without_account=subject_without_account,
        ),
        bus=JetStreamRedelivery(publishers, client, metrics),
        market=LedgerMarket(),
        proofs=RangeProofs(
            ProofKeeper(
                reader=BlobReader(lambda: servers),
                accounts=lambda: [account],
                feed=ValidationFeed(CheckedValidations(), metrics),
                bus=JetStreamProofs(proofs, client),
                metrics=metrics,
                clock=time.monotonic,
                anchor_ledgers=0,
                most_waiting=wanted.last - wanted.first + 1,
            ),
            wanted,
        ),
    )
