"""Fees: the account that a transaction's fee was taken from, as its metadata shows it.

The delegate pays where one signed, and the sender otherwise, unless the fee is sponsored: then it is taken
from the sponsor's account (co-signed), or from what the sponsor has set aside (FeeAmount of a Sponsorship).
"""

import msgspec

from offer_lifecycle.amounts import value_of
from offer_lifecycle.nodes import Node
from offer_lifecycle.transaction import SPONSOR_PAYS_FEE, Transaction


def fee_paid_by(tx: Transaction, account: str) -> int | None:
    """Return what the account paid of the transaction's fee, in drops; None: the metadata does not say."""
    if tx.sponsor is None or not tx.sponsor_flags & SPONSOR_PAYS_FEE:
        return tx.fee if account == (tx.delegate or tx.account) else 0
    if not tx.fee or _is_paid_in_advance(tx):
        return 0
    if _balance_moved(tx, tx.sponsor):
        return tx.fee if account == tx.sponsor else 0
    # A sponsor whose balance did not move has not paid: any of the others may have
    return None if account in {tx.sponsor, tx.account, tx.delegate} else 0


def _balance_moved(tx: Transaction, account: str) -> bool:
    return any(_balance_before(node, account) is not None for node in tx.balances)


def _balance_before(node: Node, account: str) -> str | None:
    if node.entry_type != "AccountRoot" or not node.previous or account.encode() not in bytes(node.fields):
        return None
    return _FEE.decode(node.previous).balance


def _is_paid_in_advance(tx: Transaction) -> bool:
    for node in tx.nodes:
        if node.entry_type == "Sponsorship" and node.previous:
            before, after = _FEE.decode(node.previous).fee_amount, _FEE.decode(node.fields).fee_amount
            if before is not None and value_of(before) - value_of(after or "0") == tx.fee:
                return True
    return False


class _Fee(msgspec.Struct, rename="pascal", gc=False):
    balance: str | None = None
    fee_amount: str | None = None


_FEE = msgspec.json.Decoder(_Fee)
