"""State of the ledger before a transaction, for causes that its metadata leaves open.

An offer that was unusable long before somebody walked into it leaves no trace of why in the metadata
that removes it. Which entries of the ledger before would tell is a value here (a request that whoever
does I/O can put to a node as `ledger_entry`), and their fields come back as further evidence.
"""

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from offer_lifecycle.amounts import XRP, WrittenToken, asset_of, currency_of, is_mpt, issuer_of, value_of
from offer_lifecycle.entries import (
    HIGH_FREEZE,
    LOW_FREEZE,
    MPT_LOCKED,
    Issuance,
    MPToken,
    Root,
    issuance_holding,
    mpt_holding,
    xrp_holding,
)
from offer_lifecycle.funds import NOTHING, Holding
from offer_lifecycle.nodes import UInt32

GLOBAL_FREEZE, REQUIRE_AUTH = 0x0040_0000, 0x0004_0000
"""lsfGlobalFreeze, lsfRequireAuth: flags of an issuer's AccountRoot."""
LOW_AUTH, HIGH_AUTH = 0x0004_0000, 0x0008_0000
"""lsfLowAuth, lsfHighAuth: that side of the trust line has authorized the other."""
DEEP_FREEZE = 0x0200_0000 | 0x0400_0000
"""lsfLowDeepFreeze, lsfHighDeepFreeze: whichever side set it, nothing may move."""
MPT_REQUIRE_AUTH, MPT_AUTHORIZED = 0x0000_0004, 0x0000_0002
"""lsfMPTRequireAuth of an MPTokenIssuance, lsfMPTAuthorized of an MPToken."""
_LP_PREFIX, _LP_DIGITS = "03", 40
"""The currency code of a pool's LP tokens: 40 hexadecimal digits that begin so."""
CREDENTIAL_ACCEPTED = 0x0001_0000
"""lsfAccepted."""

_Fields = TypeVar("_Fields")


class StateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger entry that would tell: parameters of the `ledger_entry` method, and what it is wanted for."""

    ledger_index: int
    entry: dict[str, Any]
    why: str


class StateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The entry's fields (`node`), None where the ledger had no such entry (`entryNotFound`)."""

    request: StateRequest
    fields: Mapping[str, Any] | None


class StateBefore:
    """What is known of one account at the ledger before, and what would have to be asked."""

    def __init__(self, account: str, ledger_index: int, answers: Iterable[StateAnswer]) -> None:
        """Take the answers about `ledger_index`, the ledger before the transaction's."""
        self._account = account
        self._ledger_index = ledger_index
        self._answers = {
            _key(answer.request.entry): answer.fields
            for answer in answers
            if answer.request.ledger_index == ledger_index
        }
        self._missing: dict[bytes, StateRequest] = {}

    @property
    def questions(self) -> tuple[StateRequest, ...]:
        """The entries that were wanted and are not among the answers."""
        return tuple(self._missing.values())

    def holding(self, asset: str) -> Holding | None:
        """Return the balance of an asset; None where it is not known."""
        if asset == XRP:
            return self._xrp()
        return self._mpt(asset) if is_mpt(asset) else self._token(asset)

    def globally_frozen(self, asset: str) -> bool:
        """Whether the issuer had frozen all that it issued."""
        if is_mpt(asset):
            issuance = self._issuance(asset, "a lock of the whole issuance")
            return issuance is not None and bool(issuance.flags & MPT_LOCKED)
        root = self._issuer(asset, "a global freeze by the issuer")
        return root is not None and bool(root.flags & GLOBAL_FREEZE)

    def unauthorized(self, asset: str) -> bool:
        """Whether the issuer authorizes its holders, and has not authorized this one."""
        if is_mpt(asset):
            return self._mpt_unauthorized(asset)
        root = self._issuer(asset, "whether the issuer authorizes its holders")
        if root is None or not root.flags & REQUIRE_AUTH:
            return False
        known, line = self._line(asset, "the issuer's authorization of the owner")
        if line is None:
            return known
        return not line.flags & (HIGH_AUTH if self._is_low(line) else LOW_AUTH)

    def deep_frozen(self, asset: str) -> bool:
        """Whether the owner may not receive the asset."""
        if is_mpt(asset):
            token = self._mptoken(asset, "a lock of what the offer asks")[1]
            return token is not None and bool(token.flags & MPT_LOCKED)
        _, line = self._line(asset, "a deep freeze of what the offer asks")
        return line is not None and bool(line.flags & DEEP_FREEZE)

    def frozen_in_pool(self, asset: str) -> str | None:
        """Return the asset of a pool that is frozen for the account, if `asset` is the pool's LP token."""
        currency, issuer = currency_of(asset), issuer_of(asset)
        if not (issuer and len(currency) == _LP_DIGITS and currency.startswith(_LP_PREFIX)):
            return None
        root = self._entry({"account_root": issuer}, _Root, "whether the issuer is a pool's account")[1]
        if root is None or root.amm_id is None:
            return None
        pool = self._entry({"amm": root.amm_id}, _Pool, "the assets of the pool")[1]
        for one in () if pool is None else (pool.asset, pool.asset2):
            if one.currency == XRP:
                continue
            name = asset_of(one)
            held = self.holding(name)
            if (held is not None and held.frozen) or self.globally_frozen(name):
                return name
        return None

    def outside(self, domain: str, time: int) -> bool:
        """Whether the account held none of the domain's credentials at `time` (ripple seconds)."""
        entry = {"permissioned_domain": domain}
        known, found = self._entry(entry, _Domain, "the credentials that the domain accepts")
        if found is None:
            return known
        if found.owner == self._account:
            return False
        held = [self._unknown_or_held(accepted, time) for accepted in found.accepted]
        return not any(held)

    def _xrp(self) -> Holding | None:
        entry = {"account_root": self._account}
        known, root = self._entry(entry, _Root, "the owner's XRP and reserve")
        if root is None:
            return NOTHING if known else None
        return xrp_holding(root)

    def _mpt(self, asset: str) -> Holding | None:
        if issuer_of(asset) == self._account:
            issuance = self._issuance(asset, "what the owner has issued of what the offer gives")
            return None if issuance is None else issuance_holding(issuance)
        known, token = self._mptoken(asset, "the owner's balance of what the offer gives")
        if token is None:
            return NOTHING if known else None
        return mpt_holding(token)

    def _mpt_unauthorized(self, asset: str) -> bool:
        issuance = self._issuance(asset, "whether the issuer authorizes its holders")
        if issuance is None or not issuance.flags & MPT_REQUIRE_AUTH:
            return False
        known, token = self._mptoken(asset, "the issuer's authorization of the owner")
        return known if token is None else not token.flags & MPT_AUTHORIZED

    def _mptoken(self, asset: str, why: str) -> "tuple[bool, _MPToken | None]":
        token = {"mpt_issuance_id": asset, "account": self._account}
        return self._entry({"mptoken": token}, _MPToken, why)

    def _issuance(self, asset: str, why: str) -> "_Issuance | None":
        return self._entry({"mpt_issuance": asset}, _Issuance, why)[1]

    def _token(self, asset: str) -> Holding | None:
        known, line = self._line(asset, "the owner's balance of what the offer gives")
        if line is None:
            return NOTHING if known else None
        is_low, value = self._is_low(line), value_of(line.balance)
        frozen = line.flags & (HIGH_FREEZE if is_low else LOW_FREEZE)
        # Balance is written from the low account's side
        return Holding(balance=value if is_low else value.copy_negate(), frozen=bool(frozen))

    def _unknown_or_held(self, accepted: "_Accepted", time: int) -> bool:
        credential = {
            "subject": self._account,
            "issuer": accepted.credential.issuer,
            "credential_type": accepted.credential.credential_type,
        }
        known, held = self._entry(
            {"credential": credential}, _Credential, "the owner's credential for the domain"
        )
        if held is None:
            return not known
        # Unlike an offer, a credential still holds at its Expiration: only after it, it does not
        lasting = held.expiration is None or held.expiration >= time
        return lasting and bool(held.flags & CREDENTIAL_ACCEPTED)

    def _issuer(self, asset: str, why: str) -> "_Root | None":
        return self._entry({"account_root": issuer_of(asset)}, _Root, why)[1]

    def _line(self, asset: str, why: str) -> "tuple[bool, _Line | None]":
        parties = [self._account, issuer_of(asset)]
        line = {"accounts": parties, "currency": currency_of(asset)}
        return self._entry({"ripple_state": line}, _Line, why)

    def _entry(self, entry: dict[str, Any], kind: type[_Fields], why: str) -> tuple[bool, _Fields | None]:
        """Return (whether it is known, the entry); what is not known becomes a question."""
        key = _key(entry)
        if key in self._answers:
            fields = self._answers[key]
            with contextlib.suppress(msgspec.ValidationError):  # no usable answer: the question stays
                return True, None if fields is None else msgspec.convert(fields, kind)
        self._missing.setdefault(key, StateRequest(ledger_index=self._ledger_index, entry=entry, why=why))
        return False, None

    def _is_low(self, line: "_Line") -> bool:
        return line.low_limit.issuer == self._account


class _Root(Root, rename="pascal", kw_only=True):
    """AccountRoot: what tells something of it; one without its own fields is no answer."""

    balance: str
    owner_count: UInt32
    flags: int = 0

    def __post_init__(self) -> None:
        value_of(self.balance)


class _MPToken(MPToken, rename="pascal"):
    def __post_init__(self) -> None:
        value_of(self.amount or "0")


class _Issuance(Issuance, rename="pascal"):
    def __post_init__(self) -> None:
        value_of(self.outstanding_amount)
        value_of(self.maximum_amount or "0")


class _PoolAsset(WrittenToken, kw_only=True):
    """An asset without an amount; one that names none is no answer."""

    value: str = "0"

    def __post_init__(self) -> None:
        if self.currency != XRP:
            asset_of(self)


class _Pool(msgspec.Struct, rename="pascal"):
    """AMM: the assets that its pool holds."""

    asset: _PoolAsset
    asset2: _PoolAsset


class _Line(msgspec.Struct, rename="pascal"):
    """RippleState."""

    balance: WrittenToken
    low_limit: WrittenToken
    flags: int = 0

    def __post_init__(self) -> None:
        value_of(self.balance)


class _Kind(msgspec.Struct, rename="pascal"):
    issuer: str
    credential_type: str


class _Accepted(msgspec.Struct, rename="pascal"):
    credential: _Kind


class _Domain(msgspec.Struct, rename="pascal"):
    """PermissionedDomain."""

    owner: str
    accepted: list[_Accepted] = msgspec.field(name="AcceptedCredentials")


class _Credential(msgspec.Struct, rename="pascal"):
    """Credential."""

    flags: int = 0
    expiration: int | None = None


def _key(entry: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(entry)
