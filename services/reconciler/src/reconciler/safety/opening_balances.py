"""Opening balances: what an account held when following it began. Drift and UNFUNDED rest on them.

One answer is not enough for that. A second look, on another server where there is one, must show the same
balances at the same ledger; else they are not known, and nothing is concluded from them.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec
import structlog

from ledger_client import LedgerServer, ProtocolViolation, ServerError, account_balances, account_mpts
from offer_lifecycle import AccountRecord, Holding, is_mpt, read_holdings

_log = structlog.get_logger()

OtherServer = Callable[[str], LedgerServer | None]
"""Returns a server that can be asked, another one than the one with this name; None: there is none."""


def no_other_server(_name: str) -> LedgerServer | None:
    """Return None: the same server is looked at twice."""
    return None


async def confirm_opening(server: LedgerServer, other: OtherServer, record: AccountRecord) -> AccountRecord:
    """Return the record of an account just adopted, without balances that no second look confirms.

    Nothing waits for the second look: the balances are looked at again in the next check.
    """
    try:
        problem = "" if await shown_again(server, other, record, record.holdings) else "two looks differ"
    except ServerError as error:
        problem = str(error)
    if not problem:
        return record
    _log.warning("opening balances not known yet", account=record.account, problem=problem)
    return msgspec.structs.replace(record, holdings={}, holdings_known=False, mpts_known=False)


async def shown_again(
    server: LedgerServer, other: OtherServer, record: AccountRecord, first: Mapping[str, Holding]
) -> bool:
    """Whether a second look at the record's ledger shows the balances that the first one did.

    Raises:
        ServerError: neither the other server nor this one shows them.

    """
    second = other(server.name)
    try:
        again, _ = await list_holdings(second or server, record)
    except ServerError:
        if second is None:
            raise
        again, _ = await list_holdings(server, record)
    return _balances(again) == _balances(first)


async def list_holdings(server: LedgerServer, record: AccountRecord) -> tuple[dict[str, Holding], bool]:
    """Return the balances that the server lists at the record's ledger, and whether MPTs are among them.

    MPTs are asked for only where the account is known to hold some: most accounts hold none.

    Raises:
        ServerError: as every request; ProtocolViolation if it lists something else.

    """
    shown = await account_balances(server, record.account, record.ledger_index)
    mpts = None
    if any(map(is_mpt, record.holdings)):
        mpts = await account_mpts(server, record.account, record.ledger_index)
    try:
        return read_holdings(shown.account_data, shown.lines, mpts), mpts is not None
    except (ArithmeticError, KeyError, ValueError, TypeError) as error:
        raise ProtocolViolation(
            server.name, f"balances of {record.account} at ledger {record.ledger_index}: {error!r}"
        ) from error


def _balances(holdings: Mapping[str, Holding]) -> dict[str, Decimal]:
    return {asset: holding.balance for asset, holding in holdings.items()}
