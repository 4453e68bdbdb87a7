"""Whether the transactions of a life proof are all that ever touched the order's entry.

Every change of an offer's entry names in its metadata the transaction before it (PreviousTxnID). So the
chain closes from the last step back to the creation, and no step can be left out, swapped or added. It
cannot say that nothing came after the last step, unless that one deleted the entry: an entry's index is
never used twice.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from ledger_proof.base58 import account_address
from ledger_proof.binary.objects import decode_object
from ledger_proof.errors import Unproven
from ledger_proof.hashes import offer_index

_WITHOUT_SEQUENCE = 0
"""A transaction that uses a ticket has this Sequence."""


class TouchingTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A proven transaction, as far as the chain of an offer's entry goes through it."""

    hash: str
    ledger_index: int
    index: int
    """TransactionIndex: its place in the ledger."""
    type: str
    account: str
    sequence: int
    """Its Sequence, or its TicketSequence where a ticket was used."""
    result: str
    kind: str | None
    """CreatedNode, ModifiedNode or DeletedNode of the order's entry; None: it has none."""
    fields: dict[str, Any]
    """NewFields or FinalFields of the entry."""
    previous: dict[str, Any]
    """PreviousFields of the entry: what changed, as it was."""
    previous_hash: str | None
    previous_ledger_index: int | None
    """PreviousTxnID and PreviousTxnLgrSeq."""

    @property
    def before(self) -> tuple[Any, Any]:
        """TakerGets and TakerPays as the entry had them before it."""
        both = self.fields | self.previous
        return both.get("TakerGets"), both.get("TakerPays")

    @property
    def after(self) -> tuple[Any, Any]:
        """TakerGets and TakerPays as it left them."""
        return self.fields.get("TakerGets"), self.fields.get("TakerPays")


def read_touching(
    name: bytes, transaction: bytes, metadata: bytes, *, ledger_index: int, entry: str
) -> TouchingTransaction:
    """Read what a proven transaction did to the ledger entry with an index.

    Raises:
        Unproven: if it has more than one node of the entry, or the node is of no Offer.

    """
    body, shown = decode_object(transaction), decode_object(metadata)
    what = f"transaction {name.hex().upper()}"
    try:
        nodes = [(kind, node) for one in shown["AffectedNodes"] for kind, node in one.items()]
        own = [(kind, node) for kind, node in nodes if node.get("LedgerIndex") == entry]
        if len(own) > 1 or any(node["LedgerEntryType"] != "Offer" for _, node in own):
            raise Unproven(what, expected="one Offer with the order's index", found=f"{len(own)} entries")
        kind, node = own[0] if own else (None, {})
        fields = node.get("NewFields") or node.get("FinalFields") or {}
        # A deleted entry carries the link inside its last fields
        link = node if "PreviousTxnID" in node else fields
        return TouchingTransaction(
            hash=name.hex().upper(),
            ledger_index=ledger_index,
            index=shown["TransactionIndex"],
            type=body["TransactionType"],
            account=body["Account"],
            sequence=body["Sequence"] or body.get("TicketSequence", _WITHOUT_SEQUENCE),
            result=shown["TransactionResult"],
            kind=kind,
            fields=fields,
            previous=node.get("PreviousFields", {}),
            previous_hash=link.get("PreviousTxnID"),
            previous_ledger_index=link.get("PreviousTxnLgrSeq"),
        )
    except (AttributeError, KeyError) as error:
        raise Unproven(what, expected="a transaction with its metadata", found=repr(error)) from error


def check_chain(steps: Sequence[TouchingTransaction], account: bytes, sequence: int) -> bool:
    """Check that the steps are an order's life from its own transaction on; return whether they end it.

    Raises:
        Unproven: naming the first step that does not follow.

    """
    if not steps:
        raise Unproven("steps", expected="the order's own transaction", found="none")
    first, *others = steps
    address = account_address(account)
    if (first.account, first.sequence) != (address, sequence):
        found = f"{first.sequence} of {first.account}"
        raise Unproven(f"step 1, {first.hash}", expected=f"sequence {sequence} of {address}", found=found)
    if first.kind is None:
        if others:
            raise Unproven("steps", expected="one: the order never rested", found=f"{len(steps)}")
        return True
    if first.kind != "CreatedNode" or first.type != "OfferCreate":
        found = f"{first.type} with {first.kind}"
        raise Unproven(f"step 1, {first.hash}", expected="OfferCreate with CreatedNode", found=found)
    before, amounts = first, first.after
    for number, step in enumerate(others, start=2):
        _check_link(f"step {number}, {step.hash}", before, step)
        if step.fields:  # an entry of which only the link changed shows none
            if step.before != amounts:
                found = f"{step.before}"
                raise Unproven(f"step {number}, {step.hash}", expected=f"amounts {amounts}", found=found)
            amounts = step.after
        before = step
    return before.kind == "DeletedNode"


def _check_link(what: str, before: TouchingTransaction, step: TouchingTransaction) -> None:
    if (step.ledger_index, step.index) <= (before.ledger_index, before.index):
        expected = f"a place after {before.ledger_index}:{before.index}"
        raise Unproven(what, expected=expected, found=f"{step.ledger_index}:{step.index}")
    if before.kind == "DeletedNode" or step.kind not in {"ModifiedNode", "DeletedNode"}:
        found = f"{step.kind} after {before.kind}"
        raise Unproven(what, expected="a change of the entry that is there", found=found)
    link = step.previous_hash, step.previous_ledger_index
    if link != (before.hash, before.ledger_index):
        expected = f"PreviousTxnID {before.hash} of ledger {before.ledger_index}"
        raise Unproven(what, expected=expected, found=f"{link[0]} of ledger {link[1]}")


def entry_of(account: bytes, sequence: int) -> str:
    """Return the index of the order's entry: it is computed, and never taken from a file.

    Raises:
        Unproven: if no order can have this sequence.

    """
    if not 0 < sequence < 2**32:
        raise Unproven("sequence", expected="1 to 4294967295", found=str(sequence))
    return offer_index(account, sequence)
