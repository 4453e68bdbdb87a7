"""Amounts in the ledger's own notation, read exactly: no float, no rounding.

XRPL token values have up to 16 digits and exponents from -96 to 80. Numbers far outside of that are
refused as they are read, so that `EXACT` holds any sum of those that are left; it would refuse rather
than round.
"""

import re
from collections.abc import Iterable
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from functools import lru_cache, reduce

import msgspec

from offer_lifecycle.addresses import address_of
from order_events import Amount, Side

EXACT = Context(prec=400, traps=[Inexact, InvalidOperation, Overflow])
"""For sums and differences: the result is exact or an error."""
RATIO = Context(prec=34, traps=[DivisionByZero, InvalidOperation, Overflow])
"""For prices, the only figures that are rounded: 34 digits."""
_IN_XRP = Context(prec=100, traps=[Inexact, InvalidOperation, Overflow])
"""For drops in XRP, exact or an error: a division to the 400 digits of `EXACT` takes six times as long."""

XRP = "XRP"
DROPS_PER_XRP = Decimal(1_000_000)
ZERO = Decimal(0)

_SIGNIFICANT_DIGITS = 16
"""Of a token amount: a change to a large balance is itself rounded to these."""

_FINEST, _LARGEST = -100, 100
"""Powers of ten: no number has its first digit at a smaller one, or at the larger one."""
_MPT_ID = re.compile("[0-9A-Fa-f]{48}")
"""An MPTokenIssuanceID: the issuance's Sequence (4 bytes) and the issuer's AccountID (20 bytes)."""
_MPT_DIGITS, _MPT_SEQUENCE_DIGITS = 48, 8
_DROPS_DIGITS = 17
"""All the XRP there is: 10^17 drops less one."""
_LONGEST = 64
"""Characters: the ledger's own longest is `-1234567890123456e-96`."""


class WrittenToken(msgspec.Struct, gc=False):
    """A token amount or an MPT amount as the ledger writes it."""

    value: str
    currency: str | None = None
    issuer: str | None = None
    mpt_issuance_id: str | None = None


WrittenAmount = str | WrittenToken
"""How an amount stands in a transaction or a ledger entry: XRP in drops as a string, else an object."""


def amount(written: WrittenAmount) -> Amount:
    """Read an amount: drops of XRP, or a token's or an MPT's decimal `value`, as `1234e-5` too.

    Raises:
        ValueError: if it is no finite number, or the object names no asset.

    """
    return Amount(asset_of(written), value_of(written))


def asset_of(written: WrittenAmount) -> str:
    """Name the asset of an amount; raises ValueError for an object that names none."""
    if isinstance(written, str):
        return XRP
    if written.issuer is not None and written.currency is not None:
        return f"{written.currency}.{written.issuer}"
    if written.mpt_issuance_id is not None:
        return mpt_asset(written.mpt_issuance_id)
    raise ValueError(f"expected currency and issuer, or mpt_issuance_id, found {written!r}")


def value_of(written: WrittenAmount) -> Decimal:
    """Read an amount's number alone, where its asset is known; raises ValueError as `amount` does."""
    if isinstance(written, str):
        if len(written) <= _DROPS_DIGITS and written.isdecimal():
            return Decimal(written)
        if not written.isdecimal() and not written.removeprefix("-").isdecimal():
            raise ValueError(f"expected whole drops in a string, found {written!r}")
        text = written
    else:
        text = written.value
    try:
        value = Decimal(text)
        if len(text) <= _LONGEST and value.is_finite() and _FINEST <= value.adjusted() < _LARGEST:
            return value
    except InvalidOperation:  # no number at all
        pass
    raise ValueError(f"expected a decimal number of the ledger's size, found {text!r}")


def read_drops(written: str) -> int:
    """Read whole drops of XRP; raises ValueError as `amount` does."""
    if len(written) <= _DROPS_DIGITS and written.isdecimal():
        return int(written)
    return int(value_of(written))


def named_amount(name: str, written: WrittenAmount | None) -> Amount:
    """Read an amount that must be there; the ValueError says which field it was."""
    if written is None:
        raise ValueError(f"{name}: expected an amount, found none")
    try:
        return Amount(asset_of(written), value_of(written))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def named_asset(name: str, written: WrittenAmount) -> str:
    """Name the asset of an amount; the ValueError says which field it was."""
    try:
        return asset_of(written)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def named_value(name: str, written: WrittenAmount) -> Decimal:
    """Read an amount's number alone; the ValueError says which field it was."""
    try:
        return value_of(written)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def parse_amount(raw: object) -> Amount:
    """Read an amount of an answer that is decoded already (see `amount`).

    Raises:
        ValueError: if it is none.

    """
    try:
        return amount(msgspec.convert(raw, WrittenAmount))
    except msgspec.ValidationError as error:
        expected = "drops in a string, or an object with currency, issuer and value"
        raise ValueError(f"expected an amount ({expected}), found {raw!r}") from error


def token_asset(currency: str, peer: str) -> str:
    """Name the asset that a trust line with `peer` holds."""
    return f"{currency}.{peer}"


def mpt_asset(issuance_id: str) -> str:
    """Name the asset of an MPT: its MPTokenIssuanceID as 48 upper-case hexadecimal digits.

    Servers and engines write the id in either case. The name has no point, so that it can never be the
    name of a token (`<currency>.<issuer>`), whatever that token's currency code is.

    Raises:
        ValueError: if it is no MPTokenIssuanceID.

    """
    if not _MPT_ID.fullmatch(issuance_id):
        raise ValueError(f"mpt_issuance_id: expected 48 hexadecimal digits, found {issuance_id!r}")
    return issuance_id.upper()


def is_mpt(asset: str) -> bool:
    """Return whether an asset is an MPT (its name is then the MPTokenIssuanceID)."""
    return len(asset) == _MPT_DIGITS and _MPT_ID.fullmatch(asset) is not None


def canonical_asset(asset: str) -> str:
    """Return the one name of an asset that an engine or an earlier version may have written otherwise.

    An MPT's id may come in lower case, and earlier versions wrote it as `MPT.<id>`.
    """
    issuance_id = asset.removeprefix("MPT.")
    return issuance_id.upper() if is_mpt(issuance_id) else asset


def canonical_amount(amount: Amount) -> Amount:
    """Return the amount with its asset's one name (see `canonical_asset`)."""
    asset = canonical_asset(amount.asset)
    return amount if asset == amount.asset else Amount(asset, amount.value)


def is_whole(asset: str) -> bool:
    """Return whether amounts of the asset are whole numbers: XRP in drops, and MPTs."""
    return asset == XRP or is_mpt(asset)


@lru_cache(maxsize=1024)
def issuer_of(asset: str) -> str | None:
    """Return the address of the issuer of a token or an MPT; None for XRP."""
    if is_mpt(asset):
        return address_of(asset[_MPT_SEQUENCE_DIGITS:])
    return asset.partition(".")[2] or None


def currency_of(asset: str) -> str:
    """Return the currency code of a token; of XRP and of an MPT the asset's whole name."""
    return asset.partition(".")[0]


def exact_sum(values: Iterable[Decimal]) -> Decimal:
    """Add up without a rounding."""
    return reduce(EXACT.add, values, ZERO)


def last_place(value: Decimal) -> Decimal:
    """Return what one is worth in the last digit that the ledger keeps of a token amount; 0 for 0."""
    return Decimal(1).scaleb(value.adjusted() - _SIGNIFICANT_DIGITS + 1) if value else ZERO


def format_decimal(value: Decimal) -> str:
    """Write a number as short as it goes without an exponent: `20.4`, `50`, `0`."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def units(amount: Amount) -> Decimal:
    """Return the amount in the units people quote: XRP instead of drops, tokens as they are."""
    return in_units(amount.asset, amount.value)


def in_units(asset: str, value: Decimal) -> Decimal:
    """Return what `units` does of an amount's two parts."""
    return _IN_XRP.divide(value, DROPS_PER_XRP) if asset == XRP else value


@lru_cache(maxsize=1024)
def market_of(gets: str, pays: str) -> tuple[str, Side]:
    """Return (`<base>/<quote>`, side) of an order that gives `gets` for `pays`.

    XRP is the base where it is one of the two, else the asset that sorts first.
    """
    gives_base = gets == XRP or (pays != XRP and gets < pays)
    base, quote = (gets, pays) if gives_base else (pays, gets)
    return f"{base}/{quote}", Side.SELL if gives_base else Side.BUY


def limit_price(side: Side, gets: Amount, pays: Amount) -> Decimal | None:
    """Return quote per base, in units; None where the base is zero."""
    base, quote = (gets, pays) if side is Side.SELL else (pays, gets)
    if not base.value:
        return None
    return RATIO.divide(units(quote), units(base))
