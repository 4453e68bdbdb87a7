"""What happened to anybody's offers in one transaction, from nothing but what it shows itself."""

from collections.abc import Iterator

from offer_lifecycle.amounts import XRP
from offer_lifecycle.changes import Kind, OfferChange, offer_changes
from offer_lifecycle.funds import BalanceChange, balance_changes
from offer_lifecycle.removal import Case, Verdict, decide
from offer_lifecycle.state_before import StateAnswer, StateBefore
from offer_lifecycle.transaction import Header, Reserves, Transaction


def removals(
    tx: Transaction, header: Header, reserves: Reserves, answers: tuple[StateAnswer, ...] = ()
) -> Iterator[tuple[OfferChange, Verdict]]:
    """Yield each offer that the transaction deleted, and why.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    owners: dict[str, dict[str, BalanceChange]] = {}
    for change in offer_changes(tx):
        if change.kind is not Kind.DELETED:
            continue
        account = change.account
        if account not in owners:
            owners[account] = {balance.asset: balance for balance in balance_changes(tx, account)}
        balance, root = owners[account].get(change.gets_left.asset), owners[account].get(XRP)
        case = Case(
            tx=tx,
            change=change,
            header=header,
            reserves=reserves,
            holding_before=balance.before if balance else None,
            holding_after=balance.after if balance else None,
            owner_count=root.before.owner_count if root else None,
            state=StateBefore(account, tx.ledger_index - 1, answers),
        )
        yield change, decide(case)
