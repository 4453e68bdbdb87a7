"""The binary format's names: of fields, transaction types, entry types and results.

`definitions.json` is made by `make_definitions.py` from the table that xrpl-py publishes. A name that
the table does not know is written with its number behind a question mark.
"""

from importlib.resources import files

import msgspec

from ledger_proof.errors import MalformedBlob

UINT16, UINT32, UINT64, HASH128, HASH256, AMOUNT, BLOB, ACCOUNT_ID = 1, 2, 3, 4, 5, 6, 7, 8
NUMBER, INT32, INT64, OBJECT, ARRAY, UINT8, HASH160, PATH_SET, VECTOR256 = 9, 10, 11, 14, 15, 16, 17, 18, 19
UINT96, HASH192, HASH384, HASH512, ISSUE, BRIDGE, CURRENCY = 20, 21, 22, 23, 24, 25, 26
"""The codes of the types of fields."""

_SUCCESS = "tesSUCCESS"
_FIRST_CLAIM, _LAST_CLAIM = 100, 255
"""The results that claim only a fee. With success they are all that a validated ledger can hold."""


class _Definitions(msgspec.Struct, frozen=True):
    fields: dict[str, str]
    ledger_entry_types: dict[int, str]
    transaction_types: dict[int, str]
    transaction_results: dict[int, str]


_DEFINITIONS = msgspec.json.decode(
    files(__package__).joinpath("definitions.json").read_bytes(), type=_Definitions, strict=False
)
ENTRY_TYPES = _DEFINITIONS.ledger_entry_types
"""By code: names of the types of ledger entries."""
FIELD_NAMES = {
    (int(kind), int(nth)): name
    for (kind, _, nth), name in ((key.partition("."), name) for key, name in _DEFINITIONS.fields.items())
}
"""By (type, field): names of the known fields."""


def field_name(kind: int, nth: int) -> str:
    """Return a field's name; of an unknown one `?<type>.<field>`."""
    return FIELD_NAMES.get((kind, nth)) or f"?{kind}.{nth}"


def entry_type(code: int) -> str:
    """Return the name of a type of ledger entries (LedgerEntryType)."""
    return ENTRY_TYPES.get(code) or f"?{code}"


def transaction_type(code: int) -> str:
    """Return the name of a type of transactions (TransactionType)."""
    return _DEFINITIONS.transaction_types.get(code) or f"?{code}"


def result(code: int) -> str:
    """Return the name of a validated transaction's result (TransactionResult).

    An unknown one that claims a fee begins with `tec`, as all of them do.

    Raises:
        MalformedBlob: for a result with which no transaction gets into a ledger.

    """
    if code == 0:
        return _SUCCESS
    if not _FIRST_CLAIM <= code <= _LAST_CLAIM:
        raise MalformedBlob("TransactionResult", expected="0 or 100 to 255", found=str(code))
    return _DEFINITIONS.transaction_results.get(code) or f"tec?{code}"
