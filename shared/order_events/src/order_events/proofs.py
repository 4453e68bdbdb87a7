"""What proves the ledgers that changed followed orders: stream `PROOFS`, `proof.<ledger index>`.

Evidence alone: whoever uses it computes every hash and checks every signature again. Bytes are written in
Base64. See docs/proof.md for their formats.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct


class ProvenOrder(Struct, frozen=True, kw_only=True):
    """An order that a transaction changed, or that it was to place."""

    account: Annotated[str, Meta(description="The order's account, a classic address.")]
    sequence: Annotated[int, Meta(description="The order's Sequence, or the number of its ticket.")]


class ProvenTransaction(Struct, frozen=True, kw_only=True):
    """A transaction that changed a followed order, with what shows that it is in the ledger."""

    transaction_hash: Annotated[str, Meta(description="The transaction's hash, in upper-case hexadecimal.")]
    transaction: Annotated[bytes, Meta(description="The transaction (tx_blob), with its signature.")]
    metadata: Annotated[bytes, Meta(description="Its metadata (meta_blob).")]
    path: Annotated[
        bytes,
        Meta(
            description="Its path in the tree of the ledger's transactions, as the path of a step in a life "
            "proof: of each inner node from the root down, two bytes that say which other branches are not "
            "empty, and their hashes."
        ),
    ]
    orders: Annotated[
        tuple[ProvenOrder, ...], Meta(description="The followed orders that it changed, or was to place.")
    ]


class PublishedList(Struct, frozen=True, kw_only=True):
    """A list of validators as its publisher serves it."""

    manifest: Annotated[str, Meta(description="The publisher's manifest, in Base64 as published.")]
    blob: Annotated[str, Meta(description="The list, in Base64 as published.")]
    signature: Annotated[str, Meta(description="The list's signature, in hexadecimal.")]


class LedgerProof(Struct, frozen=True, kw_only=True, tag_field="event_type", tag="proof.ledger"):
    """What proves a ledger, and the transactions in it that changed followed orders.

    One ledger in so many is an anchor: its proof holds the lists of validators in force, and is kept also
    where nothing changed. A ledger with very many transactions comes in several proofs.
    """

    event_id: Annotated[
        UUID,
        Meta(
            description="The proof's name: of the ledger, the transactions in it, and whether it was "
            "confirmed. It is the message's Nats-Msg-Id and the primary key in PostgreSQL."
        ),
    ]
    version: Annotated[int, Meta(description="The version of this event type's schema.")] = 1
    network_id: Annotated[int, Meta(description="The ledger's network id; 0 is the main network.")]
    ledger_index: Annotated[int, Meta(description="The ledger.")]
    ledger_hash: Annotated[str, Meta(description="The ledger's hash, in upper-case hexadecimal.")]
    occurred_at: Annotated[datetime, Meta(description="The ledger's close time (UTC).")]
    headers: Annotated[
        tuple[bytes, ...],
        Meta(
            description="Headers of 118 bytes, one after the other: the ledger's own, and those up to the "
            "first ledger that was confirmed where it was not the ledger itself."
        ),
    ]
    validations: Annotated[
        tuple[bytes, ...],
        Meta(
            description="Of the last of these headers, each with a signature that held: of the configured "
            "lists' validators, or of anybody where no list is configured. Empty: none came."
        ),
    ]
    confirmed: Annotated[
        bool,
        Meta(
            description="Whether a quorum of the configured lists signed for the last header. False: too few "
            "validations came, or no list is configured; it may be confirmed by other evidence."
        ),
    ]
    transactions: Annotated[
        tuple[ProvenTransaction, ...],
        Meta(description="Those that changed followed orders, in the ledger's order; an anchor may have 0."),
    ]
    lists: Annotated[
        tuple[PublishedList, ...], Meta(description="Of an anchor: the lists in force; else empty.")
    ] = ()
    manifests: Annotated[
        tuple[bytes, ...],
        Meta(
            description="Of validators among these who changed their signing key after their list was made."
        ),
    ] = ()
