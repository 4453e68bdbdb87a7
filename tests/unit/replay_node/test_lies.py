"""The replay node's lies: what its bytes contradict, and chains that contradict themselves nowhere."""

from itertools import pairwise

import pytest
from replaying import recorded
from streamed_server import StreamedServer

from ledger_client import LedgerServer, account_history, ledger_header
from ledger_client.whole_ledger import read_whole
from offer_lifecycle import Header, Transaction
from replay_node.session import Session

SESSION = "partial_then_full"
LIES = [{"forge": lie} for lie in ("amounts", "hidden", "added", "doubled")]
CONSISTENT = [
    *({"forge": lie, "rehash": True} for lie in ("amounts", "hidden", "added")),
    {"invent": 3},
    {"forge": "amounts", "rehash": True, "invent": 2},
]


@pytest.fixture(scope="module")
def session() -> Session:
    return recorded(SESSION)


async def closed(session: Session, **faults: object) -> StreamedServer:
    server = StreamedServer(session)
    server.node.faults.change(faults)
    server.close_ledgers()
    return server


async def headers(server: StreamedServer) -> list[Header]:
    return [await ledger_header(server, one.ledger_index) for one in server.node.chain.ledgers]


async def histories(server: LedgerServer, session: Session, last: int) -> list[list[Transaction]]:
    first = session.ledgers[0].ledger_index
    return [
        [row.transaction for row in await account_history(server, account, first, last)]
        for account in session.accounts.values()
    ]


@pytest.mark.parametrize("faults", LIES)
async def test_a_lie_about_transactions_is_in_the_json_and_not_in_the_bytes(
    session: Session, faults: dict[str, str]
) -> None:
    true, liar = await closed(session), await closed(session, **faults)
    last = session.ledgers[-1].ledger_index
    assert await headers(liar) == await headers(true)
    assert await histories(liar, session, last) != await histories(true, session, last)
    for header in await headers(true):
        proven = await read_whole(liar, header.ledger_index, ledger_hash=header.ledger_hash)
        honest = await read_whole(true, header.ledger_index)
        assert list(proven.transactions()) == list(honest.transactions())


@pytest.mark.parametrize("faults", CONSISTENT)
async def test_a_chain_of_its_own_is_proven_by_its_bytes_and_is_another_chain(
    session: Session, faults: dict[str, object]
) -> None:
    true, liar = await headers(await closed(session)), await closed(session, **faults)
    shown = await headers(liar)
    for before, after in pairwise(shown):
        assert after.parent_hash == before.ledger_hash
    for header in shown:
        assert (await read_whole(liar, header.ledger_index)).header == header
    assert shown[-1].ledger_hash not in {one.ledger_hash for one in true}


async def test_invented_ledgers_follow_the_newest_one_and_are_more_than_have_closed(session: Session) -> None:
    true, liar = await closed(session), StreamedServer(session)
    liar.close_ledgers(3)
    liar.node.faults.change({"invent": 2})
    assert liar.node.chain.validated.ledger_index == session.ledgers[3].ledger_index + 2
    liar.close_ledgers(1)
    shown, real = await headers(liar), await headers(true)
    assert len(shown) == 4 + 2 + 1
    assert [one in real for one in shown] == [True] * 4 + [False] * 3


async def test_a_stale_server_shows_its_newest_ledgers_as_if_nothing_had_happened(session: Session) -> None:
    true, liar = await closed(session), await closed(session, stale=3)
    last = session.ledgers[-1].ledger_index
    assert await headers(liar) == await headers(true)
    assert await histories(liar, session, last) == await histories(true, session, last - 3)
    maker = session.accounts["maker"]
    asked = {"account": maker, "ledger_index": last}
    earlier = true.answer("account_offers", {"account": maker, "ledger_index": last - 3})
    assert liar.answer("account_offers", asked)["offers"] == earlier["offers"]
    assert liar.answer("account_offers", asked)["ledger_index"] == last
