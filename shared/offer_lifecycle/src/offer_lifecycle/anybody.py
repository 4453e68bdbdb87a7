"""What happened to anybody's offers in one transaction, from nothing but what it shows itself."""

from collections.abc import Container, Iterator

import msgspec

from offer_lifecycle.amounts import XRP
from offer_lifecycle.changes import OfferChange, damaged, offer_change
from offer_lifecycle.funds import BalanceChange, balances_of
from offer_lifecycle.removal import Case, Verdict, decide
from offer_lifecycle.state_before import StateAnswer
from offer_lifecycle.transaction import Header, MalformedTransaction, Reserves, Transaction


def removals(
    tx: Transaction,
    header: Header,
    reserves: Reserves,
    *,
    accounts: Container[str] | None = None,
    answers: tuple[StateAnswer, ...] = (),
) -> Iterator[tuple[OfferChange, Verdict]]:
    """Yield each offer that the transaction deleted, of all or of some accounts, and why.

    Raises:
        MalformedTransaction: naming transaction, node and field.

    """
    removed = list(_deleted(tx, accounts))
    if not removed:
        return
    # What a transaction says it removes needs no balances
    named = (tx.account, tx.offer_sequence)
    doubtful = {change.account for change in removed if (change.account, change.sequence) != named}
    balances = balances_of(tx, doubtful)
    for change in removed:
        seen = balances.get(change.account, _NONE)
        balance, root = seen.get(change.gives), seen.get(XRP)
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
        try:
            yield change, decide(case)
        except ValueError as error:
            raise MalformedTransaction(f"transaction {tx.hash}: Offer {change.entry}: {error}") from error


def _deleted(tx: Transaction, accounts: Container[str] | None) -> Iterator[OfferChange]:
    for one in tx.affected:
        node = one.deleted
        if node is None or node.entry_type != "Offer":
            continue
        try:
            if accounts is None or _OWNER.decode(node.fields).account in accounts:
                change = offer_change(node)
                if change is not None:
                    yield change
        except (msgspec.ValidationError, ValueError) as error:
            raise damaged(tx, node, error) from error


class _Owner(msgspec.Struct, rename="pascal", gc=False):
    account: str


_OWNER = msgspec.json.Decoder(_Owner)
_NONE: dict[str, BalanceChange] = {}
