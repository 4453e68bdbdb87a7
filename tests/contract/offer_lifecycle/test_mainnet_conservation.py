"""Whole mainnet ledgers: every account's balances add up, but for what three known records leave open."""

import json
from collections import defaultdict
from collections.abc import Iterator

import mainnet

from offer_lifecycle import Conservation, Drift, Source, Transaction, balance_flows

pytestmark = mainnet.needed

OPEN = {
    # An AccountSet with another transaction's metadata: the ledger's transaction tree disproves the record
    "09BD561F981E9F29B8DA0BDE37AEF0559EDCB4E0F51520967E10A3072FA597A9",
    # What an issuer owes falls by a dust payment to a pool that holds too much to show it: no balance in the
    # metadata says how much can be lost in it
    "D540F1E21A145F5CC9B95BEEF142A766C83E76E09A0E1DA6C2C2027FA7DB2B22",
    "B360BE15852950BFC704D83FEF30DA314EA18BA63B6EB31623FCDA4A9F9FCD4A",
}
FIRST, LAST, GAP = 11_119_599, 11_119_627, (11_119_605, 11_119_606)


def accounts(tx: Transaction) -> set[str]:
    """Return whose balances and offers the transaction shows."""
    found = set()
    for node in (*tx.balances, *tx.offers):
        fields = json.loads(bytes(node.fields) or b"{}")
        found.add(fields.get("Account"))
        found |= {fields[limit]["issuer"] for limit in ("LowLimit", "HighLimit") if limit in fields}
    return found - {None}


def test_every_change_of_every_balance_has_a_source() -> None:
    open_ended = set()
    changes = 0
    for tx in (tx for ledger in mainnet.whole_ledgers().values() for tx in ledger):
        for account in accounts(tx):
            for flow in balance_flows(tx, account):
                changes += 1
                assert flow.asset != "XRP" or flow.source is not Source.ROUNDING
                if flow.source is Source.DRIFT:
                    open_ended.add(tx.hash)
    assert changes
    assert open_ended == OPEN


def consecutive() -> Iterator[tuple[int, dict[str, list[Transaction]]]]:
    """Yield the ledgers around the gap, each with its transactions by account."""
    for index, transactions in sorted(mainnet.whole_ledgers().items()):
        if FIRST <= index <= LAST:
            touched = defaultdict(list)
            for tx in transactions:
                for account in accounts(tx):
                    touched[account].append(tx)
            yield index, touched


def drifts() -> list[Drift]:
    followed: dict[str, Conservation] = {}
    for index, touched in consecutive():
        for account, transactions in touched.items():
            conservation = followed.setdefault(account, Conservation(account, FIRST - 1, None))
            conservation.add_ledger(index, transactions)
    assert not any(conservation.unread for conservation in followed.values())
    return [drift for conservation in followed.values() for drift in conservation.drifts]


def test_balances_drift_over_the_two_ledgers_that_are_missing_and_nowhere_else() -> None:
    found = drifts()
    assert found
    read = {tx.hash for ledger in mainnet.whole_ledgers().values() for tx in ledger}
    for drift in found:
        assert drift.began < GAP[0]
        assert drift.ledger_index > GAP[1]
        assert drift.missing not in {None, *read}
