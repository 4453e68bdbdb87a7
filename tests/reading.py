"""Reading an account's ledgers in tests, by the reconciler's own reader."""

from ledger_client import LedgerServer, account_history, ledger_header, server_status
from offer_lifecycle import AccountRecord, LedgerFacts
from reconciler.following import account_reader

STEP = 3
"""Ledgers a reading: an account that keeps up reads few."""


async def at(server: LedgerServer, ledger_index: int, account: str) -> AccountRecord:
    """Return the record of an account that was followed up to a ledger."""
    header = await ledger_header(server, ledger_index)
    history = await account_history(server, account, ledger_index, ledger_index)
    return AccountRecord(
        network_id=0,
        account=account,
        adopted_at=ledger_index,
        ledger_index=ledger_index,
        ledger_hash=header.ledger_hash,
        transactions=tuple(one.transaction.hash for one in history),
    )


async def read_to_the_end(server: LedgerServer, account: str) -> list[LedgerFacts]:
    """Return the facts of all ledgers after the server's first, read in short steps."""
    status = await server_status(server)
    facts: list[LedgerFacts] = []
    cursor = status.complete[0][0]
    while cursor < status.validated:
        upto = min(cursor + STEP, status.validated)
        facts += await account_reader.read_ledgers(
            server, status, await at(server, cursor, account), upto, ()
        )
        cursor = upto
    return facts
