"""The public client library reads our answers as it reads the real node's."""

from __future__ import annotations

from replaying import recorded, serving
from xrpl.asyncio.clients import AsyncJsonRpcClient
from xrpl.models.requests import AccountOffers, AccountTx, Ledger, ServerInfo


async def test_the_client_s_typed_requests_are_answered() -> None:
    session = recorded("random_2")
    maker, last = session.accounts["maker"], session.ledgers[-1].ledger_index
    async with serving("random_2") as client:
        client.close_all()
        node = AsyncJsonRpcClient(client.url)
        info = await node.request(ServerInfo())
        offers = await node.request(AccountOffers(account=maker, ledger_index=last))
        history = await node.request(AccountTx(account=maker, ledger_index_min=-1, forward=True))
        ledger = await node.request(Ledger(ledger_index=last, transactions=True, expand=True))
        unknown = await node.request(AccountOffers(account="rrrrrrrrrrrrrrrrrrrrBZbvji", ledger_index=last))

    assert info.result["info"]["validated_ledger"]["seq"] == last
    assert offers.result["offers"] == session.ledgers[-1].after["maker"]["offers"]
    assert history.result["transactions"][0]["tx_json"]["Account"]
    assert len(ledger.result["ledger"]["transactions"]) == len(session.ledgers[-1].transactions)
    assert not unknown.is_successful()
