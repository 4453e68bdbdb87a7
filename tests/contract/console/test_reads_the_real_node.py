"""`explain` reads the real node's recorded answers, which lie beside the project and not in it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from replaying import Json, samples

from console.explain.history import (
    ledger_entry,
    ledger_header,
    newest_ledger,
    next_sequence,
    read_back,
)
from console.explain.node import API_VERSION, Node

SAMPLES = [sample for sample in samples() if sample["request"].get("api_version", API_VERSION) == API_VERSION]
pytestmark = pytest.mark.skipif(not SAMPLES, reason="the real node's answers are not beside the project")


def asked(method: str, *, refused: bool = False) -> list[Json]:
    named = [sample for sample in SAMPLES if sample["request"]["command"] == method]
    return [one for one in named if ("error" in one["response"]) is refused]


def real(sample: Json) -> Node:
    def exchange(_method: str, _params: Mapping[str, Any]) -> bytes:
        return json.dumps(sample["response"]).encode()

    return Node("the real node", exchange, pauses=())


def test_its_state_its_headers_and_its_accounts() -> None:
    [state, *_] = asked("server_info")
    newest = newest_ledger(real(state))
    assert newest.ledger_index == state["response"]["result"]["info"]["validated_ledger"]["seq"]
    assert (newest.reserves.base, newest.reserves.increment) == (1_000_000, 200_000)
    for sample in asked("ledger"):
        index = sample["response"]["result"]["ledger_index"]
        assert ledger_header(real(sample), index).ledger_index == index
    [account, *_] = asked("account_info")
    result = account["response"]["result"]
    found = next_sequence(real(account), "", result["ledger_index"])
    assert found == result["account_data"]["Sequence"]


def test_its_entries_and_that_there_is_none() -> None:
    [there, *_] = asked("ledger_entry")
    index = there["response"]["result"]["ledger_index"]
    assert ledger_entry(real(there), index, {}) == there["response"]["result"]["node"]
    [absent, *_] = asked("ledger_entry", refused=True)
    assert ledger_entry(real(absent), index, {}) is None


def test_its_history() -> None:
    pages = asked("account_tx")
    assert pages
    for sample in pages:
        page = sample["response"]["result"]
        own = [row for row in page["transactions"] if row["tx_json"]["Account"] == page["account"]]
        fields = own[-1]["tx_json"]
        sequence = fields.get("TicketSequence", fields["Sequence"])
        history = read_back(
            real(sample), page["account"], sequence, page["ledger_index_max"], lambda *_: None
        )
        assert history.placed is not None
        assert history.placed.hash == own[-1]["hash"]
        assert history.oldest == page["ledger_index_min"]
