"""`explain` reads the real node's recorded answers, which lie beside the project and not in it."""

import msgspec
import pytest
from replaying import Json, samples

from console.explain.history import read_back
from ledger_client import (
    API_VERSION,
    account_root,
    ledger_entry,
    ledger_header,
    read_envelope,
    result_of,
    server_status,
)

SAMPLES = [sample for sample in samples() if sample["request"].get("api_version", API_VERSION) == API_VERSION]
pytestmark = pytest.mark.skipif(not SAMPLES, reason="the real node's answers are not beside the project")


def asked(method: str, *, refused: bool = False) -> list[Json]:
    named = [sample for sample in SAMPLES if sample["request"]["command"] == method]
    return [one for one in named if ("error" in one["response"]) is refused]


class RealServer:
    """Gives one recorded answer of the real node to every request (see `LedgerServer`)."""

    name = "the real node"

    def __init__(self, sample: Json) -> None:
        self._answer = msgspec.json.encode(sample["response"])

    async def request(self, method: str, /, **_: object) -> msgspec.Raw:
        return result_of(self.name, method, read_envelope(self.name, self._answer))

    async def close(self) -> None:
        """Nothing is open."""


async def test_its_state_its_headers_and_its_accounts() -> None:
    [state, *_] = asked("server_info")
    newest = await server_status(RealServer(state))
    assert newest.validated == state["response"]["result"]["info"]["validated_ledger"]["seq"]
    assert (newest.reserves.base, newest.reserves.increment) == (1_000_000, 200_000)
    for sample in asked("ledger"):
        index = sample["response"]["result"]["ledger_index"]
        assert (await ledger_header(RealServer(sample), index)).ledger_index == index
    [account, *_] = asked("account_info")
    result = account["response"]["result"]
    root = await account_root(RealServer(account), "", result["ledger_index"])
    assert root == result["account_data"]


async def test_its_entries_and_that_there_is_none() -> None:
    [there, *_] = asked("ledger_entry")
    index = there["response"]["result"]["ledger_index"]
    assert await ledger_entry(RealServer(there), index, {}) == there["response"]["result"]["node"]
    [absent, *_] = asked("ledger_entry", refused=True)
    assert await ledger_entry(RealServer(absent), index, {}) is None


async def test_its_history() -> None:
    pages = asked("account_tx")
    assert pages
    for sample in pages:
        page = sample["response"]["result"]
        own = [row for row in page["transactions"] if row["tx_json"]["Account"] == page["account"]]
        fields = own[-1]["tx_json"]
        sequence = fields.get("TicketSequence", fields["Sequence"])
        history = await read_back(
            RealServer(sample), page["account"], sequence, page["ledger_index_max"], lambda *_: None
        )
        assert history.placed is not None
        assert history.placed.hash == own[-1]["hash"]
        assert history.oldest == page["ledger_index_min"]
