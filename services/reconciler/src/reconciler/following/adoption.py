"""An account as a server shows it at one validated ledger."""

import msgspec

from ledger_client.questions import ServerStatus, account_history, account_snapshot, ledger_header
from ledger_client.server import LedgerServer, ProtocolViolation
from offer_lifecycle import AccountState, Header, adopt_account


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen."""

    header: Header
    state: AccountState
    """Its cursor is that ledger; every offer is an order that nobody has announced."""
    next_sequence: int | None
    """The account's Sequence; None: it is not on the ledger."""


async def look_at(server: LedgerServer, status: ServerStatus, account: str, ledger_index: int) -> Sight:
    """Read the account's root, trust lines and offers at a ledger, and its transactions in it.

    Raises:
        ServerError: as every request; ProtocolViolation if the account is shown incompletely.

    """
    header = await ledger_header(server, ledger_index)
    snapshot = await account_snapshot(server, account, ledger_index)
    history = await account_history(server, account, ledger_index, ledger_index)
    try:
        state = adopt_account(
            network_id=status.network_id,
            account=account,
            header=header,
            account_data=snapshot.account_data,
            lines=snapshot.lines,
            offers=snapshot.offers,
        )
        next_sequence = None if snapshot.account_data is None else int(snapshot.account_data["Sequence"])
    except (KeyError, ValueError, TypeError) as error:
        raise ProtocolViolation(server.name, f"account at ledger {ledger_index}: {error!r}") from error
    state.record = msgspec.structs.replace(
        state.record, transactions=tuple(one.transaction.hash for one in history)
    )
    return Sight(header=header, state=state, next_sequence=next_sequence)
