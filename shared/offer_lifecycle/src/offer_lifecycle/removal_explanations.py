"""Removals of offers, of any account, explained by the removing transaction alone."""

from collections.abc import Container, Iterator

import msgspec

from offer_lifecycle.amounts import XRP
from offer_lifecycle.balances import BalanceChange, balance_changes_by_account
from offer_lifecycle.changes import OfferChange, node_damage, offer_change
from offer_lifecycle.funds import Reserves
from offer_lifecycle.removal import Case, Verdict, decide_removal
from offer_lifecycle.state_before import StateAnswer
from offer_lifecycle.transaction import MalformedTransaction, Transaction


def explain_removals(
    transaction: Transaction,
    *,
    parent_close_time: int,
    reserves: Reserves,
    accounts: Container[str] | None = None,
    answers: tuple[StateAnswer, ...] = (),
) -> Iterator[tuple[OfferChange, Verdict]]:
    """Yield each offer that the transaction deleted, and the verdict why.

    `parent_close_time`: of the ledger before the transaction's, in ripple seconds. `reserves`: in drops, as
    they were then. `accounts`: only offers of these owners; None: of all. `answers`: ledger entries of the
    ledger before, for causes that the metadata leaves open (see `Verdict.questions`).

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    removed = list(_deleted(transaction, accounts))
    if not removed:
        return
    # What a transaction says it removes needs no balances, nor does what it used up
    named = (transaction.account, transaction.offer_sequence)
    doubtful = {
        change.account
        for change in removed
        if not change.used_up and (change.account, change.sequence) != named
    }
    balances = balance_changes_by_account(transaction, doubtful)
    for change in removed:
        seen = balances.get(change.account, _NONE)
        balance, root = seen.get(change.gives), seen.get(XRP)
        case = Case(
            tx=transaction,
            change=change,
            parent_close_time=parent_close_time,
            reserves=reserves,
            holding_before=balance.before if balance else None,
            holding_after=balance.after if balance else None,
            owner_count=root.before.owner_count if root else None,
            answers=answers,
        )
        try:
            yield change, decide_removal(case)
        except ValueError as error:
            raise MalformedTransaction(
                f"transaction {transaction.hash}: Offer {change.entry}: {error}"
            ) from error


def _deleted(tx: Transaction, accounts: Container[str] | None) -> Iterator[OfferChange]:
    for node in tx.deleted_offers:
        try:
            if accounts is None or _OWNER.decode(node.fields).account in accounts:
                change = offer_change(node)
                if change is not None:
                    yield change
        except (msgspec.ValidationError, ValueError) as error:
            raise node_damage(tx, node, error) from error


class _Owner(msgspec.Struct, rename="pascal", gc=False):
    account: str


_OWNER = msgspec.json.Decoder(_Owner)
_NONE: dict[str, BalanceChange] = {}
