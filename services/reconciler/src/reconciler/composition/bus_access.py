"""The bus connection as the adapters are given it: while it is there, and while this replica may publish."""

import socket
import time
from collections.abc import Callable
from functools import partial
from uuid import uuid4

from faststream.exceptions import IncorrectState
from faststream.nats import NatsBroker
from nats.aio.client import Client

from reconciler.adapters.leases import BucketLeases
from reconciler.fleet.account_shares import Lease
from reconciler.ports.bus import BusAway
from reconciler.settings import ReconcilerSettings

BusClient = Callable[[], Client]
"""Returns the bus connection; raises BusAway, or a nats error, while nothing may be published."""


def connected_client(broker: NatsBroker) -> Client:
    """Return the bus connection.

    Raises:
        BusAway: it is lost, or closed at the end; what is published would only pile up in the client.

    """
    try:
        client = broker.connection
    except IncorrectState as error:
        raise BusAway("expected a connection to NATS, found it closed") from error
    if not client.is_connected:
        raise BusAway("expected a connection to NATS, found it lost: it is being made again")
    return client


def leased_client(broker: NatsBroker, lease: Lease) -> Client:
    """Return the bus connection as long as this replica's lease is held.

    Raises:
        BusAway: the lease has lapsed, and the bus may have given the accounts to other replicas.

    """
    if not lease.held:
        raise BusAway("expected to hold the lease, found it lapsed: the bus has not renewed it in time")
    return connected_client(broker)


def make_lease(settings: ReconcilerSettings, broker: NatsBroker) -> Lease:
    """Return this replica's lease."""
    host = "".join(letter if letter.isalnum() else "-" for letter in socket.gethostname())  # part of a key
    return Lease(
        BucketLeases(partial(connected_client, broker)),
        settings.accounts,
        replica=settings.replica_id or f"{host}-{uuid4().hex[:8]}",
        seconds=settings.lease_seconds,
        clock=time.monotonic,
    )
