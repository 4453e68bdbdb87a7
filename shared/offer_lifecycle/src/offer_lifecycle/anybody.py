"""What happened to anybody's offers in one transaction, from nothing but what it shows itself."""

from collections.abc import Iterator

from offer_lifecycle.amounts import XRP
from offer_lifecycle.changes import OfferChange, offer_changes
from offer_lifecycle.funds import balances_of
from offer_lifecycle.removal import Case, Verdict, decide
from offer_lifecycle.state_before import StateAnswer
from offer_lifecycle.transaction import Header, Kind, Reserves, Transaction


def removals(
    tx: Transaction, header: Header, reserves: Reserves, answers: tuple[StateAnswer, ...] = ()
) -> Iterator[tuple[OfferChange, Verdict]]:
    """Yield each offer that the transaction deleted, and why.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    removed = [change for change in offer_changes(tx) if change.kind is Kind.DELETED]
    # What a transaction says it removes needs no balances
    named = (tx.account, tx.offer_sequence)
    doubtful = {change.account for change in removed if (change.account, change.sequence) != named}
    balances = balances_of(tx, doubtful)
    for change in removed:
        seen = balances.get(change.account, {})
        balance, root = seen.get(change.gets_left.asset), seen.get(XRP)
        case = Case(
            tx=tx,
            change=change,
            header=header,
            reserves=reserves,
            holding_before=balance.before if balance else None,
            holding_after=balance.after if balance else None,
            owner_count=root.before.owner_count if root else None,
            answers=answers,
        )
        yield change, decide(case)
