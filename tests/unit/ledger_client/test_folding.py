"""An end that the metadata leaves open is explained from the ledger before, where the server has it."""

from collections.abc import Mapping
from typing import Any

import made_ledger as made
import msgspec
from in_process_node import as_written
from made_ledger import ISSUER, OWNER, line, listed, offer, state, tx, usd

from ledger_client import Refused, Unreachable, fold_with_questions
from offer_lifecycle import AccountState, LedgerFacts, read_transaction
from order_events import RemovalReason, Resolution

FROZEN_ISSUER = {"Account": ISSUER, "Balance": "1", "OwnerCount": 0, "Flags": 0x0040_0000}


class KnowingServer:
    """Answers `ledger_entry` of ledger 100 from a table; raises what stands there instead."""

    name = "http://node"

    def __init__(self, entries: Mapping[str, Mapping[str, Any] | Exception]) -> None:
        self.entries = entries
        self.asked: list[tuple[str, object]] = []

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        key = next(name for name in params if name != "ledger_index")
        self.asked.append((method, params["ledger_index"]))
        found = self.entries.get(key)
        if found is None:
            raise Refused(self.name, "entryNotFound", "ledger_entry: entryNotFound")
        if isinstance(found, Exception):
            raise found
        return as_written({"ledger_index": params["ledger_index"], "validated": True, "node": found})

    async def close(self) -> None:
        """Nothing is open."""


def one_offer() -> AccountState:
    return state(offers=[listed(7, usd("5"), "10000000")])


def removed_by_a_stranger() -> LedgerFacts:
    gone = offer("DeletedNode", 7, usd("5"), "10000000")
    raw = tx("OfferCreate", [gone])
    return LedgerFacts(
        header=made.header(101),
        reserves=made.RESERVES,
        transactions=(read_transaction(raw, ledger_index=101),),
    )


async def test_a_global_freeze_at_the_ledger_before_explains_it() -> None:
    server = KnowingServer({"account_root": FROZEN_ISSUER})
    outcome = await fold_with_questions(server, one_offer(), removed_by_a_stranger())
    assert (outcome.changed[7].removal_reason, outcome.changed[7].resolution) == (
        RemovalReason.UNFUNDED,
        Resolution.RESOLVED,
    )
    assert set(server.asked) == {("ledger_entry", 100)}


async def test_what_the_server_can_not_answer_stays_unexplained_and_holds_up_nothing() -> None:
    server = KnowingServer({"account_root": Unreachable("http://node", "ledger_entry: no answer")})
    outcome = await fold_with_questions(server, one_offer(), removed_by_a_stranger())
    assert outcome.changed[7].removal_reason is RemovalReason.UNEXPLAINED
    assert [question.entry for question in outcome.questions] == [{"account_root": ISSUER}]
    assert len(server.asked) == 1


async def test_a_ledger_that_leaves_nothing_open_asks_nothing() -> None:
    emptied = tx(
        "OfferCreate", [offer("DeletedNode", 7, usd("5"), "10000000"), line("0", "1000", account=OWNER)]
    )
    facts = msgspec.structs.replace(
        removed_by_a_stranger(), transactions=(read_transaction(emptied, ledger_index=101),)
    )
    server = KnowingServer({})
    outcome = await fold_with_questions(server, one_offer(), facts)
    assert outcome.changed[7].removal_reason is RemovalReason.UNFUNDED
    assert server.asked == []
