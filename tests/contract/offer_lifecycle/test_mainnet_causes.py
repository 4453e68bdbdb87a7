"""The decision held against real mainnet transactions, which lie beside the project and not in it."""

from collections import Counter

import mainnet
from mainnet import DIFFERENT, EXPECTED

from offer_lifecycle import Kind

pytestmark = mainnet.needed


def test_every_transaction_is_read_and_every_offer_in_it_found() -> None:
    for one in mainnet.recorded().values():
        assert not one.tx.damaged
        assert {(change.entry, change.account, change.sequence) for change in one.changes} == {
            (node["ledger_entry_index"], node["account"], node["sequence"])
            for node in one.raw["offer_nodes"]
            if node["account"]
        }
    types = Counter(one.tx.type for one in mainnet.recorded().values())
    assert types == {"OfferCreate": 1518, "OfferCancel": 241, "Payment": 102}


def test_the_causes_agree_with_the_careful_labelling_but_for_what_is_written_down() -> None:
    different = {}
    for (transaction, offer), (label, verdict) in mainnet.verdicts().items():
        name = transaction[:8], offer[:8]
        if verdict.reason is not DIFFERENT.get(name, EXPECTED[label]):
            different[name] = label, verdict
    assert different == {}


def test_following_an_account_gives_the_same_verdicts_as_looking_at_the_transaction_alone() -> None:
    judged = mainnet.verdicts()
    for one in mainnet.recorded().values():
        gone = [change for change in one.changes if change.kind is Kind.DELETED]
        followed = {account: one.outcome(account).verdicts for account in {change.account for change in gone}}
        for change in gone:
            _, verdict = judged[one.tx.hash, change.entry]
            assert followed[change.account][change.sequence] == verdict
