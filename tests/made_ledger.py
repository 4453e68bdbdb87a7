"""Small made-up ledgers for tests of the kernel: metadata as a server writes it, by hand."""

from collections.abc import Mapping
from typing import Any

from offer_lifecycle import (
    AccountState,
    Header,
    LedgerFacts,
    LedgerOutcome,
    Reserves,
    StateAnswer,
    StateRequest,
    adopt_account,
    adopt_without_snapshot,
    fold_ledger,
    read_transaction,
)
from order_events import Amount, CancelRequested, OrderSubmitted

OWNER = "rOwner"
STRANGER = "rStranger"
ISSUER = "rIssuer"
USD = f"USD.{ISSUER}"
MPT = "00000003430427B80BD2D09D36B70B969E12801065F22308"
MPT_ISSUER = "rffMEZLzDQPNU6VYbWNkgQBtMz6gCYnMAG"
ZERO_ACCOUNT = "rrrrrrrrrrrrrrrrrrrrBZbvji"
RESERVES = Reserves(base=1_000_000, increment=200_000)
START = 100

Raw = dict[str, Any]


def usd(value: str) -> Raw:
    return {"currency": "USD", "issuer": ISSUER, "value": value}


def eur(value: str) -> Raw:
    return {"currency": "EUR", "issuer": ISSUER, "value": value}


def mpt(value: str, issuance_id: str = MPT) -> Raw:
    return {"mpt_issuance_id": issuance_id, "value": value}


def header(index: int, *, close_time: int | None = None) -> Header:
    """Ledgers close every 4 seconds."""
    time = 4 * index if close_time is None else close_time
    return Header(
        ledger_index=index,
        ledger_hash=f"L{index}",
        parent_hash=f"L{index - 1}",
        close_time=time,
        parent_close_time=time - 4,
    )


def offer(  # noqa: PLR0913 - the fields of an entry
    kind: str,
    sequence: int,
    gets: object,
    pays: object,
    *,
    before: Mapping[str, object] | None = None,
    owner: str = OWNER,
    previous: str | None = None,
    **more: object,
) -> Raw:
    """One Offer node: `gets` and `pays` are what is left, `before` is PreviousFields."""
    entry: Raw = {"LedgerEntryType": "Offer", "LedgerIndex": f"O{sequence}"}
    fields = {"Account": owner, "Sequence": sequence, "TakerGets": gets, "TakerPays": pays, **more}
    entry["NewFields" if kind == "CreatedNode" else "FinalFields"] = fields
    if kind == "DeletedNode" and previous is not None:
        fields["PreviousTxnID"] = previous
    elif previous is not None:
        entry["PreviousTxnID"] = previous
    if before is not None:
        entry["PreviousFields"] = before
    return {kind: entry}


def met(gave: object, got: object, *, sequence: int = 3) -> Raw:
    """A stranger's offer that an order met: `gave` and `got` are the order's amounts."""

    def nothing(amount: object) -> object:
        return {**amount, "value": "0"} if isinstance(amount, dict) else "0"

    before = {"TakerGets": got, "TakerPays": gave}
    return offer("DeletedNode", sequence, nothing(got), nothing(gave), before=before, owner=STRANGER)


def root(balance: int, *, before: int | None = None, owners: int = 1, account: str = OWNER) -> Raw:
    """One modified AccountRoot; balances in drops."""
    entry: Raw = {
        "LedgerEntryType": "AccountRoot",
        "LedgerIndex": f"A{account}",
        "FinalFields": {"Account": account, "Balance": str(balance), "OwnerCount": owners},
        "PreviousFields": {} if before is None else {"Balance": str(before)},
    }
    return {"ModifiedNode": entry}


def line(balance: str, before: str, *, account: str = OWNER, currency: str = "USD", flags: int = 0) -> Raw:
    """One modified RippleState with the issuer; the account is the low side."""
    entry: Raw = {
        "LedgerEntryType": "RippleState",
        "LedgerIndex": f"T{account}{currency}",
        "FinalFields": {
            "Balance": {"currency": currency, "issuer": ZERO_ACCOUNT, "value": balance},
            "LowLimit": {"currency": currency, "issuer": account, "value": "1000000"},
            "HighLimit": {"currency": currency, "issuer": ISSUER, "value": "0"},
            "Flags": flags,
        },
        "PreviousFields": {"Balance": {"currency": currency, "issuer": ZERO_ACCOUNT, "value": before}},
    }
    return {"ModifiedNode": entry}


def mptoken(after: str | None, before: str | None, *, account: str = OWNER, flags: int = 0) -> Raw:
    """One modified MPToken; None: an amount of 0, which the ledger does not write."""
    fields = {"Account": account, "MPTokenIssuanceID": MPT, "Flags": flags}
    entry: Raw = {
        "LedgerEntryType": "MPToken",
        "LedgerIndex": f"M{account}",
        "FinalFields": fields if after is None else {**fields, "MPTAmount": after},
        "PreviousFields": {} if before is None else {"MPTAmount": before},
    }
    return {"ModifiedNode": entry}


def tx(  # noqa: PLR0913 - the fields of a transaction
    kind: str,
    nodes: list[Raw],
    *,
    account: str = STRANGER,
    sequence: int = 1,
    name: str = "T1",
    index: int = 0,
    result: str = "tesSUCCESS",
    **fields: object,
) -> Raw:
    """One transaction as an expanded api_version 1 ledger holds it; an OfferCreate orders something."""
    if kind == "OfferCreate":
        fields = {"TakerGets": eur("1"), "TakerPays": "1", **fields}
    body = {"TransactionType": kind, "Account": account, "Sequence": sequence, "Fee": "12", **fields}
    meta = {"TransactionIndex": index, "TransactionResult": result, "AffectedNodes": nodes}
    return {**body, "hash": name, "metaData": meta}


def state(
    *, offers: list[Raw] | None = None, usd_balance: str = "1000", drops: int = 50_000_000
) -> AccountState:
    """The owner at ledger 100, with USD and XRP, and the offers given as account_offers lists them."""
    return adopt_account(
        network_id=0,
        account=OWNER,
        header=header(START),
        account_data={"Balance": str(drops), "OwnerCount": 1 + len(offers or [])},
        lines=[{"account": ISSUER, "currency": "USD", "balance": usd_balance}],
        offers=offers or [],
    )


def unknown(account: str = OWNER) -> AccountState:
    """The account at ledger 100, of which nothing is known before."""
    return adopt_without_snapshot(network_id=0, account=account, header=header(START))


def answer(entry: Raw, fields: Raw | None, *, ledger_index: int = START) -> StateAnswer:
    """What a server says of a ledger entry; None: the ledger has no such entry."""
    return StateAnswer(request=StateRequest(ledger_index=ledger_index, entry=entry, why=""), fields=fields)


def listed(sequence: int, gets: object, pays: object, **more: object) -> Raw:
    """One row of account_offers."""
    return {"seq": sequence, "taker_gets": gets, "taker_pays": pays, "flags": 0, **more}


def step(
    to: AccountState,
    index: int,
    *transactions: Raw,
    close_time: int | None = None,
    answers: tuple[StateAnswer, ...] = (),
) -> LedgerOutcome:
    """Fold one ledger and go on to the state after it."""
    facts = LedgerFacts(
        header=header(index, close_time=close_time),
        reserves=RESERVES,
        transactions=tuple(read_transaction(raw, ledger_index=index) for raw in transactions),
        answers=answers,
    )
    outcome = fold_ledger(to, facts)
    to.apply(outcome)
    return outcome


def submitted(sequence: int, gets: Amount, pays: Amount, **more: Any) -> OrderSubmitted:  # noqa: ANN401
    """The engine's announcement of an order."""
    return OrderSubmitted(account=OWNER, sequence=sequence, taker_gets=gets, taker_pays=pays, **more)


def cancel_requested(sequence: int, name: str | None, sent_after: int | None = None) -> CancelRequested:
    """The engine's announcement of a cancel."""
    return CancelRequested(
        account=OWNER, sequence=sequence, transaction_hash=name, validated_ledger_index=sent_after
    )
