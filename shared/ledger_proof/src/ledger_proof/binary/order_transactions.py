"""The transactions that place and cancel orders, read at once and written as a server's JSON.

As in `entries`: one regular expression over the usual fields of an OfferCreate or OfferCancel, in the
order in which bytes have them. What does not match (another type, memos, a delegate, a sponsor, several
signers) is left to the walk of `objects`. Left out are SourceTag, LastLedgerSequence, the key and the
signature, which the kernel does not read.
"""

import re

from ledger_proof.base58 import account_address
from ledger_proof.binary.entries import AMOUNT, amount_text, drops_text

_number = int.from_bytes  # the ledger's byte order, big endian, is the default

_ORDER = re.compile(
    # TransactionType Flags SourceTag Sequence Expiration OfferSequence LastLedgerSequence TicketSequence
    rb"\x12\x00([\x07\x08])(?:\x22(.{4}))?+(?:\x23.{4})?+\x24(.{4})(?:\x2a(.{4}))?+(?:\x20\x19(.{4}))?+"
    rb"(?:\x20\x1b.{4})?+(?:\x20\x29(.{4}))?+"
    # TakerPays TakerGets Fee SigningPubKey TxnSignature Account
    rb"(?:\x64%b)?+(?:\x65%b)?+\x68(.{8})\x73(?:\x21.{33}|\x00)"
    rb"\x74(?:\x40.{64}|\x46.{70}|\x47.{71}|\x48.{72})\x81\x14(.{20})" % (AMOUNT, AMOUNT),
    re.DOTALL,
).fullmatch
_TYPES = {b"\x07": "OfferCreate", b"\x08": "OfferCancel"}


def order_transaction(blob: bytes) -> str | None:
    """Return an OfferCreate or OfferCancel as JSON; None if it is another one, or not as usual."""
    found = _ORDER(blob)
    if found is None:
        return None
    kind, flags, sequence, expiration, named, ticket, pays, gets, fee, account = found.groups()
    text = (
        f'{{"TransactionType":"{_TYPES[kind]}","Account":"{account_address(account)}",'
        f'"Sequence":{_number(sequence)},"Fee":"{drops_text(fee)}"'
    )
    for name, value in (
        ("Flags", flags),
        ("Expiration", expiration),
        ("OfferSequence", named),
        ("TicketSequence", ticket),
    ):
        if value is not None:
            text += f',"{name}":{_number(value)}'
    if pays is not None:
        text += f',"TakerPays":{amount_text(pays)}'
    if gets is not None:
        text += f',"TakerGets":{amount_text(gets)}'
    return text + "}"
