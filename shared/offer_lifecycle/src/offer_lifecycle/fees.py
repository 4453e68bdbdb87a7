"""Fees: the account that a transaction's fee was taken from, as its metadata shows it.

The delegate pays where one signed, and the sender otherwise, unless the fee is sponsored: then it is taken
from the sponsor's account (co-signed), or from what the sponsor has set aside (FeeAmount of a Sponsorship).
"""

import msgspec

from offer_lifecycle.amounts import value_of
from offer_lifecycle.transaction import SPONSOR_PAYS_FEE, Node, Transaction


def fee_paid_by(tx: Transaction, account: str) -> int | None:
    """Return what the account paid of the transaction's fee, in drops; None: the metadata does not say."""
    if not tx.fee or (_is_sponsored(tx) and _is_paid_in_advance(tx)):
        return 0
    payer = _named_payer(tx)
    if account != payer:
        # A sponsor whose balance did not move has not paid: any of the others may have
        others = {tx.account, tx.delegate} if _is_sponsored(tx) and not _balance_moved(tx, payer) else set()
        return None if account in others else 0
    return tx.fee if _balance_moved(tx, payer) or not _is_sponsored(tx) else None


def _is_sponsored(tx: Transaction) -> bool:
    return tx.sponsor is not None and bool(tx.sponsor_flags & SPONSOR_PAYS_FEE)


def _named_payer(tx: Transaction) -> str:
    if tx.sponsor is not None and _is_sponsored(tx):
        return tx.sponsor
    return tx.delegate or tx.account


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
