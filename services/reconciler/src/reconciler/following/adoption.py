"""An account as a server shows it at one validated ledger: how following it begins."""

import msgspec

from ledger_client import LedgerServer, ProtocolViolation, account_history, account_snapshot, ledger_header
from offer_lifecycle import AccountState, Header, adopt_account


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account at the end of one validated ledger."""

    header: Header
    state: AccountState
    """Its cursor is that ledger; every offer found is an external order."""
    next_sequence: int | None
    """The account's Sequence; None: the account is not on the ledger."""


async def read_account_at(
    server: LedgerServer, network_id: int, account: str, ledger_index: int
) -> AccountView:
    """Read the account's root, trust lines, MPTs and offers at a ledger, and its transactions in it.

    Raises:
        ServerError: as every request; ProtocolViolation if the account is shown incompletely.

    """
    header = await ledger_header(server, ledger_index)
    snapshot = await account_snapshot(server, account, ledger_index)
    history = await account_history(server, account, ledger_index, ledger_index)
    try:
        state = adopt_account(
            network_id=network_id,
            account=account,
            header=header,
            account_data=snapshot.account_data,
            lines=snapshot.lines,
            offers=snapshot.offers,
            mpts=snapshot.mpts,
        )
        next_sequence = None if snapshot.account_data is None else int(snapshot.account_data["Sequence"])
    except (KeyError, ValueError, TypeError) as error:
        raise ProtocolViolation(server.name, f"account at ledger {ledger_index}: {error!r}") from error
    state.record = msgspec.structs.replace(
        state.record, transactions=tuple(one.transaction.hash for one in history)
    )
    return AccountView(header=header, state=state, next_sequence=next_sequence)
