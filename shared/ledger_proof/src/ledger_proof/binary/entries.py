"""The ledger entries that hold orders and balances, read at once and written as a server's JSON.

Each has one regular expression over a whole entry of AffectedNodes, with the fields that its type usually
has, in the order in which bytes have them. What does not match (a hybrid offer's AdditionalBooks, a field
that an amendment added) is left to the walk of `objects`, so that no field is dropped. Left out are
PreviousTxnLgrSeq, and where directories list the entry: BookNode, OwnerNode, LowNode, HighNode.
"""

import re
from collections.abc import Callable
from functools import lru_cache

import msgspec

from ledger_proof.base58 import account_address
from ledger_proof.binary import amounts

Entry = tuple[str, int]
"""An entry as JSON, and where its bytes end."""
EntryReader = Callable[[bytes, int], Entry | None]
"""Takes metadata and where an entry begins; returns None where it is not as usual."""

_CREATED = 0xE3
KINDS = {_CREATED: "CreatedNode", 0xE4: "DeletedNode", 0xE5: "ModifiedNode"}

_TOKEN = rb"([\x80-\xff].{47})"
AMOUNT = rb"([\x80-\xff].{47}|[\x00-\x1f\x40-\x5f].{7}|[\x20-\x3f\x60-\x7f].{32})"
_LINKS = rb"(?:\x25.{4})?+(?:\x55(.{32}))?+\x56(.{32})"
"""PreviousTxnLgrSeq, PreviousTxnID, LedgerIndex."""


def _entry(code: bytes, previous: bytes, fields: bytes) -> Callable[[bytes, int], re.Match[bytes] | None]:
    """Return what matches an entry of the type with this code, with its PreviousFields and its fields."""
    whole = rb"[\xe3-\xe5]\x11%b%b(?:(\xe6)%b\xe1)?+[\xe7\xe8]%b\xe1\xe1"
    return re.compile(whole % (re.escape(code), _LINKS, previous, fields), re.DOTALL).match


_OFFER = _entry(
    b"\0o",
    rb"(?:\x64%b)?+(?:\x65%b)?+" % (AMOUNT, AMOUNT),
    # Flags Sequence PreviousTxnLgrSeq Expiration BookNode OwnerNode PreviousTxnID BookDirectory DomainID
    # TakerPays TakerGets Account
    rb"(?:\x22(.{4}))?+\x24(.{4})(?:\x25.{4})?+(?:\x2a(.{4}))?+(?:\x33.{8})?+(?:\x34.{8})?+"
    rb"(?:\x55(.{32}))?+(?:\x50\x10(.{32}))?+(?:\x50\x22(.{32}))?+\x64%b\x65%b\x81\x14(.{20})"
    % (AMOUNT, AMOUNT),
)
_ACCOUNT_ROOT = _entry(
    b"\0a",
    rb"(?:\x22(.{4}))?+(?:\x24(.{4}))?+(?:\x2d(.{4}))?+(?:\x62(.{8}))?+",
    # Flags Sequence OwnerCount Balance Account RegularKey
    rb"(?:\x22(.{4}))?+\x24(.{4})(?:\x2d(.{4}))?+\x62(.{8})\x81\x14(.{20})(?:\x88\x14(.{20}))?+",
)
_RIPPLE_STATE = _entry(
    b"\0r",
    rb"(?:\x22(.{4}))?+(?:\x62%b)?+" % _TOKEN,
    # Flags PreviousTxnLgrSeq LowNode HighNode PreviousTxnID Balance LowLimit HighLimit
    rb"(?:\x22(.{4}))?+(?:\x25.{4})?+(?:\x37.{8})?+(?:\x38.{8})?+(?:\x55(.{32}))?+"
    rb"\x62%b\x66%b\x67%b" % (_TOKEN, _TOKEN, _TOKEN),
)


def offer(blob: bytes, at: int) -> Entry | None:
    """Read an Offer of AffectedNodes."""
    found = _OFFER(blob, at)
    if found is None:
        return None
    (
        *links, has_previous, pays_before, gets_before,
        flags, sequence, expiration, link, directory, domain, pays, gets, account,
    ) = found.groups()  # fmt: skip
    text = (
        f'"Account":"{account_address(account)}","Sequence":{_number(sequence)},'
        f'"TakerPays":{amount_text(pays)},"TakerGets":{amount_text(gets)}'
    )
    if flags is not None:
        text += f',"Flags":{_number(flags)}'
    if expiration is not None:
        text += f',"Expiration":{_number(expiration)}'
    if directory is not None:
        text += f',"BookDirectory":"{directory.hex().upper()}"'
    if domain is not None:
        text += f',"DomainID":"{domain.hex().upper()}"'
    if link is not None:
        text += f',"PreviousTxnID":"{link.hex().upper()}"'
    previous = None
    if has_previous:
        previous = f'"TakerPays":{amount_text(pays_before)}' if pays_before is not None else ""
        if gets_before is not None:
            previous += f'{"," if previous else ""}"TakerGets":{amount_text(gets_before)}'
    return _node(blob[at], "Offer", links, text, previous), found.end()


def account_root(blob: bytes, at: int) -> Entry | None:
    """Read an AccountRoot of AffectedNodes."""
    found = _ACCOUNT_ROOT(blob, at)
    if found is None:
        return None
    (
        *links, has_previous, was_flags, was_sequence, was_owners, was,
        flags, sequence, owners, balance, account, regular_key,
    ) = found.groups()  # fmt: skip
    text = f'"Account":"{account_address(account)}","Balance":"{drops_text(balance)}"'
    text += f',"Sequence":{_number(sequence)}'
    if owners is not None:
        text += f',"OwnerCount":{_number(owners)}'
    if flags is not None:
        text += f',"Flags":{_number(flags)}'
    if regular_key is not None:
        text += f',"RegularKey":"{account_address(regular_key)}"'
    previous = None
    if has_previous:
        changed = [] if was is None else [f'"Balance":"{drops_text(was)}"']
        if was_sequence is not None:
            changed.append(f'"Sequence":{_number(was_sequence)}')
        if was_owners is not None:
            changed.append(f'"OwnerCount":{_number(was_owners)}')
        if was_flags is not None:
            changed.append(f'"Flags":{_number(was_flags)}')
        previous = ",".join(changed)
    return _node(blob[at], "AccountRoot", links, text, previous), found.end()


def ripple_state(blob: bytes, at: int) -> Entry | None:
    """Read a RippleState (a trust line) of AffectedNodes."""
    found = _RIPPLE_STATE(blob, at)
    if found is None:
        return None
    *links, has_previous, was_flags, was, flags, link, balance, low, high = found.groups()
    text = f'"Balance":{_token(balance)},"LowLimit":{_token(low)},"HighLimit":{_token(high)}'
    if flags is not None:
        text += f',"Flags":{_number(flags)}'
    if link is not None:
        text += f',"PreviousTxnID":"{link.hex().upper()}"'
    previous = None
    if has_previous:
        previous = "" if was is None else f'"Balance":{_token(was)}'
        if was_flags is not None:
            previous += f'{"," if previous else ""}"Flags":{_number(was_flags)}'
    return _node(blob[at], "RippleState", links, text, previous), found.end()


ENTRY_READERS: dict[int, EntryReader] = {
    ord("o"): offer,
    ord("a"): account_root,
    ord("r"): ripple_state,
}
"""By LedgerEntryType."""


def _node(kind: int, entry_type: str, links: list[bytes | None], fields: str, previous: str | None) -> str:
    """Write an entry of AffectedNodes; `links`: PreviousTxnID, LedgerIndex."""
    link, index = links
    entry = (index or b"").hex().upper()
    text = (
        f'{{"{KINDS[kind]}":{{"LedgerEntryType":"{entry_type}","LedgerIndex":"{entry}",'
        f'"{"NewFields" if kind == _CREATED else "FinalFields"}":{{{fields}}}'
    )
    if previous is not None:
        text += f',"PreviousFields":{{{previous}}}'
    if link is not None:
        text += f',"PreviousTxnID":"{link.hex().upper()}"'
    return text + "}}"


def amount_text(blob: bytes) -> str:
    """Write an amount of 8, 33 or 48 bytes as JSON."""
    if blob[0] & amounts.TOKEN:
        return _token(blob)
    if len(blob) == amounts.DROPS_BYTES:
        return f'"{amounts.drops(_number(blob))}"'
    return msgspec.json.encode(amounts.amount(blob)).decode()


def _token(blob: bytes) -> str:
    return f'{{"value":"{amounts.token_value(_number(blob[:8]))}",{_asset(blob[8:])}}}'


@lru_cache(maxsize=65_536)
def _asset(blob: bytes) -> str:
    return f'"currency":"{amounts.currency(blob[:20])}","issuer":"{account_address(blob[20:])}"'


def drops_text(blob: bytes) -> str:
    """Write eight bytes of drops as the number alone."""
    return amounts.drops(_number(blob))


_number = int.from_bytes  # the ledger's byte order, big endian, is the default
