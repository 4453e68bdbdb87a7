"""Ledger entries that hold balances, as metadata shows their fields; what is not needed is not read."""

from typing import Any, Generic, TypeVar, cast

import msgspec

from offer_lifecycle.addresses import account_id_of
from offer_lifecycle.amounts import WrittenToken, named_value
from offer_lifecycle.computed_once import computed_once
from offer_lifecycle.formats import ENTRY_FIELDS, unknown_entry_fields
from offer_lifecycle.funds import MPT_MAXIMUM, Holding
from offer_lifecycle.nodes import ABSENT, Node, UInt32

LOW_FREEZE, HIGH_FREEZE = 0x0040_0000, 0x0080_0000
"""lsfLowFreeze, lsfHighFreeze: that side of the trust line has frozen the other."""
AMM_LINE = 0x0100_0000
"""lsfAMMNode: the trust line in which an automated market maker holds a token."""
AMM_MPTOKEN = 0x0000_0004
"""lsfMPTAMM: the MPToken in which an automated market maker holds an MPT."""
MPT_LOCKED = 0x0000_0001
"""lsfMPTLocked: of an MPToken, its holder can't use it; of an issuance, nobody can."""


class Root(msgspec.Struct, rename="pascal", gc=False):
    """AccountRoot: XRP and what its reserve is counted by."""

    account: str | None = None
    balance: str | None = None
    owner_count: UInt32 | None = None
    sponsored_owner_count: UInt32 | None = None
    sponsoring_owner_count: UInt32 | None = None
    sponsoring_account_count: UInt32 | None = None
    sponsor: str | None = None
    amm_id: str | None = msgspec.field(name="AMMID", default=None)
    """There only where it is the account of an automated market maker."""


class Line(msgspec.Struct, rename="pascal", gc=False):
    """RippleState: a trust line; Balance is written from the low account's side."""

    low_limit: WrittenToken
    high_limit: WrittenToken
    balance: WrittenToken
    flags: UInt32 = 0


class LineBefore(msgspec.Struct, rename="pascal", gc=False):
    """PreviousFields of a trust line."""

    balance: WrittenToken | None = None
    flags: UInt32 | None = None


class MPToken(msgspec.Struct, rename="pascal", gc=False):
    """MPToken: what a holder has of an MPT; an amount of 0 is not written."""

    account: str
    issuance: str = msgspec.field(name="MPTokenIssuanceID")
    amount: str | None = msgspec.field(name="MPTAmount", default=None)
    locked: str | None = msgspec.field(name="LockedAmount", default=None)
    flags: UInt32 = 0


class MPTokenBefore(msgspec.Struct, rename="pascal", gc=False):
    """PreviousFields of an MPToken."""

    amount: str | None = msgspec.field(name="MPTAmount", default=None)
    locked: str | None = msgspec.field(name="LockedAmount", default=None)
    flags: UInt32 | None = None


class Issuance(msgspec.Struct, rename="pascal", gc=False):
    """MPTokenIssuance: what an issuer owes of an MPT."""

    issuer: str
    sequence: UInt32
    outstanding_amount: str = "0"
    maximum_amount: str | None = None
    flags: UInt32 = 0


class IssuanceBefore(msgspec.Struct, rename="pascal", gc=False):
    """PreviousFields of an MPTokenIssuance."""

    outstanding_amount: str | None = None
    maximum_amount: str | None = None
    flags: UInt32 | None = None


ROOT = msgspec.json.Decoder(Root)
LINE, LINE_BEFORE = msgspec.json.Decoder(Line), msgspec.json.Decoder(LineBefore)
MPTOKEN, MPTOKEN_BEFORE = msgspec.json.Decoder(MPToken), msgspec.json.Decoder(MPTokenBefore)
ISSUANCE, ISSUANCE_BEFORE = msgspec.json.Decoder(Issuance), msgspec.json.Decoder(IssuanceBefore)

FieldsT = TypeVar("FieldsT", bound=msgspec.Struct)


class EntryReader(Generic[FieldsT]):
    """Reads an entry's fields into a struct, and says which of them the kernel does not know."""

    def __init__(self, entry_type: str, kind: type[FieldsT]) -> None:
        """`kind`: the fields that are looked at; the others that are known are let pass."""
        self._entry_type = entry_type
        names = {field.encode_name for field in msgspec.structs.fields(kind)}
        others = [
            (f"other{place}", msgspec.Raw, msgspec.field(name=name, default=ABSENT))
            for place, name in enumerate(sorted(ENTRY_FIELDS[entry_type] - names))
        ]
        self._all_known = cast(
            "type[FieldsT]",
            msgspec.defstruct(entry_type, others, bases=(kind,), forbid_unknown_fields=True, gc=False),
        )
        self._decode_known = msgspec.json.Decoder(self._all_known).decode
        self._decode_any = msgspec.json.Decoder(kind).decode

    def read(self, fields: msgspec.Raw) -> FieldsT:
        """Return the fields that are looked at.

        Raises:
            ValueError: naming the field that can't be read.

        """
        try:
            return self._decode_known(fields)
        except msgspec.ValidationError:
            return self._decode_any(fields)

    def unknown_fields(self, read: FieldsT, fields: msgspec.Raw) -> tuple[str, ...]:
        """Return the names of the unknown fields among those that `read` was read from."""
        return () if isinstance(read, self._all_known) else unknown_entry_fields(self._entry_type, fields)


class BalanceEntry(msgspec.Struct, frozen=True, dict=True):
    """An entry that holds a balance: its fields after the transaction, and before it what was otherwise.

    What can't be read raises ValueError, naming the field.
    """

    node: Node

    @computed_once
    def final(self) -> Any:  # noqa: ANN401 - one of the kinds of entry above, by `node.entry_type`
        """FinalFields, or NewFields of a created entry."""
        return _READERS[self.node.entry_type].read(self.node.fields)

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        """Fields that the kernel does not know."""
        return _READERS[self.node.entry_type].unknown_fields(self.final, self.node.fields)

    @computed_once
    def previous(self) -> Any:  # noqa: ANN401 - as above
        """PreviousFields; None: nothing was otherwise."""
        return _PREVIOUS[self.node.entry_type].decode(self.node.previous) if self.node.previous else None


_READERS: dict[str, EntryReader[Any]] = {
    "AccountRoot": EntryReader("AccountRoot", Root),
    "RippleState": EntryReader("RippleState", Line),
    "MPToken": EntryReader("MPToken", MPToken),
    "MPTokenIssuance": EntryReader("MPTokenIssuance", Issuance),
}
_PREVIOUS: dict[str, msgspec.json.Decoder[Any]] = {
    "AccountRoot": ROOT,
    "RippleState": LINE_BEFORE,
    "MPToken": MPTOKEN_BEFORE,
    "MPTokenIssuance": ISSUANCE_BEFORE,
}


class Link(msgspec.Struct, gc=False):
    """The transaction that touched a deleted entry before: it stands inside its last fields."""

    previous_txn_id: str | None = msgspec.field(name="PreviousTxnID", default=None)


LINK = msgspec.json.Decoder(Link)


def xrp_holding(root: Root, changed: Root | None = None) -> Holding:
    """Return the XRP and its reserve that an AccountRoot shows; `changed`: its fields that were otherwise.

    Raises:
        ValueError: naming the field.

    """
    was = changed or root
    balance = root.balance if was.balance is None else was.balance
    objects = root.owner_count if was.owner_count is None else was.owner_count
    by_others = root.sponsored_owner_count if was.sponsored_owner_count is None else was.sponsored_owner_count
    for_others = (
        root.sponsoring_owner_count if was.sponsoring_owner_count is None else was.sponsoring_owner_count
    )
    accounts = (
        root.sponsoring_account_count
        if was.sponsoring_account_count is None
        else was.sponsoring_account_count
    )
    own_account = 0 if was.sponsor or root.sponsor else 1
    return Holding(
        balance=named_value("Balance", balance or "0"),
        owner_count=(objects or 0) - (by_others or 0) + (for_others or 0),
        reserve_accounts=own_account + (accounts or 0),
    )


def mpt_holding(token: MPToken) -> Holding:
    """Return what an MPToken's holder can use; raises ValueError, naming the field."""
    amount = named_value("MPTAmount", token.amount or "0")
    return Holding(balance=amount, frozen=bool(token.flags & MPT_LOCKED))


def issuance_holding(issuance: Issuance) -> Holding:
    """Return what an MPT's issuer owes, as a balance below zero; raises ValueError, naming the field."""
    written = issuance.maximum_amount
    return Holding(
        balance=named_value("OutstandingAmount", issuance.outstanding_amount).copy_negate(),
        maximum=MPT_MAXIMUM if written is None else named_value("MaximumAmount", written),
    )


def issued_asset(issuance: Issuance) -> str:
    """Name the MPT of an issuance; raises ValueError if its Issuer is no address."""
    return f"{issuance.sequence:08X}{account_id_of(issuance.issuer)}"
