"""Adoption of an account: its first state, from what a server shows at one validated ledger."""

from collections.abc import Mapping
from typing import Any

import msgspec

from offer_lifecycle import events
from offer_lifecycle.amounts import XRP, limit_price, market_of, mpt_asset, parse_amount, token_asset
from offer_lifecycle.entries import (
    Issuance,
    MPToken,
    Root,
    issuance_holding,
    issued_asset,
    mpt_holding,
    xrp_holding,
)
from offer_lifecycle.events import Fact
from offer_lifecycle.funds import Holding
from offer_lifecycle.order import Order
from offer_lifecycle.state import AccountRecord, AccountState
from offer_lifecycle.transaction import Header
from order_events import OrderEvent, OrderStatus, Provenance


def adopt_account(  # noqa: PLR0913 - the answers of the three requests that show an account at one ledger
    *,
    network_id: int,
    account: str,
    header: Header,
    account_data: Mapping[str, Any] | None,
    lines: list[Mapping[str, Any]],
    offers: list[Mapping[str, Any]],
    mpts: list[Mapping[str, Any]] | None = None,
) -> AccountState:
    """Return the first state of an account, as a server shows it at a validated ledger.

    `account_data`, `lines` and `offers` are what account_info, account_lines and account_offers answer
    at exactly that ledger; None and empty for an account that is not on the ledger yet. `mpts` are the
    MPToken and MPTokenIssuance entries that account_objects answers; None: they are not known. The offers
    found are external orders until an engine claims them.
    """
    record = AccountRecord(
        network_id=network_id,
        account=account,
        adopted_at=header.ledger_index,
        ledger_index=header.ledger_index,
        ledger_hash=header.ledger_hash,
        holdings=read_holdings(account_data, lines, mpts or []),
        mpts_known=mpts is not None,
    )
    return AccountState(record, [_found(account, offer) for offer in offers])


def read_holdings(
    account_data: Mapping[str, Any] | None,
    lines: list[Mapping[str, Any]],
    mpts: list[Mapping[str, Any]] | None = None,
) -> dict[str, Holding]:
    """Read the balances that account_info, account_lines and account_objects show at one ledger.

    `mpts`: the MPToken and MPTokenIssuance entries among the account's objects. An MPT's confidential
    balance can't be known: it is no part of the holding.

    Raises:
        KeyError, ValueError, TypeError: if they show something else.

    """
    holdings: dict[str, Holding] = {}
    if account_data is not None:
        holdings[XRP] = xrp_holding(msgspec.convert(account_data, Root))
    for line in lines:
        balance = parse_amount(
            {"currency": line["currency"], "issuer": line["account"], "value": line["balance"]}
        )
        frozen = bool(line.get("freeze_peer"))
        name = token_asset(line["currency"], line["account"])
        holdings[name] = Holding(balance=balance.value, frozen=frozen)
    for entry in mpts or []:
        if entry["LedgerEntryType"] == "MPTokenIssuance":
            issuance = msgspec.convert(entry, Issuance)
            holdings[issued_asset(issuance)] = issuance_holding(issuance)
        else:
            token = msgspec.convert(entry, MPToken)
            holdings[mpt_asset(token.issuance)] = mpt_holding(token)
    return holdings


def adopt_without_snapshot(*, network_id: int, account: str, header: Header) -> AccountState:
    """Return the first state of an account that no server shows at `header`: no orders, no balances.

    Balances become known as transactions show them; orders that were on the book already come up with
    their past missing.
    """
    record = AccountRecord(
        network_id=network_id,
        account=account,
        adopted_at=header.ledger_index,
        ledger_index=header.ledger_index,
        ledger_hash=header.ledger_hash,
        holdings_known=False,
    )
    return AccountState(record)


def accepted_at_adoption(state: AccountState, header: Header) -> tuple[OrderEvent, ...]:
    """Return `order.accepted` for each order that was on the ledger when the account was adopted at `header`.

    Call it once, after the engine's announcements so far are applied: the engine may have claimed some.
    """
    fact = Fact(
        network_id=state.record.network_id,
        ledger_index=header.ledger_index,
        time=header.close_time,
        provenance=Provenance.BACKFILL,
    )
    return tuple(events.accepted(order, fact) for order in state.orders.values() if order.listed)


def _found(account: str, offer: Mapping[str, Any]) -> Order:
    gets, pays = parse_amount(offer["taker_gets"]), parse_amount(offer["taker_pays"])
    return Order(
        account=account,
        sequence=offer["seq"],
        gets=gets,
        pays=pays,
        price=limit_price(market_of(gets.asset, pays.asset)[1], gets, pays),
        expiration=offer.get("expiration"),
        status=OrderStatus.ACCEPTED,
        listed=True,
        gets_left=gets.value,
        pays_left=pays.value,
    )
