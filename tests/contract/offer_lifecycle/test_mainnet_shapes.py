"""Every way in which servers write a transaction reads as the same one."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import mainnet
import msgspec
import pytest

from offer_lifecycle import MalformedTransaction, read_transaction

pytestmark = mainnet.needed

Raw = dict[str, Any]
AROUND = ("hash", "ledger_index", "date", "inLedger", "meta", "metaData", "validated", "status", "type")
"""What servers put beside a transaction's own fields, or among them, by shape."""
DATE, LEDGER_HASH = 474576700, "A" * 64


class Parts(NamedTuple):
    """A transaction taken apart."""

    fields: Raw
    hash: str
    ledger_index: int
    meta: Raw

    @property
    def in_v2(self) -> Raw:
        """The fields as api_version 2 writes them: a Payment's Amount is its DeliverMax."""
        if self.fields["TransactionType"] != "Payment":
            return self.fields
        return {("DeliverMax" if name == "Amount" else name): value for name, value in self.fields.items()}


def parts(one: mainnet.Recorded) -> Parts:
    """Take a record apart, whichever shape it was collected in."""
    record = one.raw["record"]
    body = record.get("tx_json") or record.get("tx") or record.get("transaction") or record
    fields = {name: value for name, value in body.items() if name not in AROUND}
    return Parts(fields, one.raw["hash"], one.tx.ledger_index, record.get("meta") or record["metaData"])


def account_tx_v1(it: Parts) -> Raw:
    inside = {"date": DATE, "hash": it.hash, "inLedger": it.ledger_index, "ledger_index": it.ledger_index}
    return {"meta": it.meta, "tx": it.fields | inside, "validated": True}


def account_tx_v2(it: Parts) -> Raw:
    return {
        "close_time_iso": "2015-01-15T00:00:00Z",
        "hash": it.hash,
        "ledger_hash": LEDGER_HASH,
        "ledger_index": it.ledger_index,
        "meta": it.meta,
        "tx_json": it.in_v2 | {"date": DATE, "ledger_index": it.ledger_index},
        "validated": True,
    }


def ledger_v1(it: Parts) -> Raw:
    return it.fields | {"hash": it.hash, "metaData": it.meta}


def ledger_v2(it: Parts) -> Raw:
    return account_tx_v2(it) | {"tx_json": it.in_v2}


def tx_v1(it: Parts) -> Raw:
    around = {"ctid": "C0", "date": DATE, "hash": it.hash, "inLedger": it.ledger_index}
    return it.fields | around | {"ledger_index": it.ledger_index, "meta": it.meta, "validated": True}


def tx_v2(it: Parts) -> Raw:
    return account_tx_v2(it) | {"ctid": "C0"}


def stream(it: Parts) -> Raw:
    return {
        "engine_result": it.meta["TransactionResult"],
        "engine_result_code": 0,
        "engine_result_message": "",
        "ledger_hash": LEDGER_HASH,
        "ledger_index": it.ledger_index,
        "meta": it.meta,
        "status": "closed",
        "type": "transaction",
        "validated": True,
    }


def stream_v1(it: Parts) -> Raw:
    return stream(it) | {"transaction": it.fields | {"date": DATE, "hash": it.hash}}


def stream_v2(it: Parts) -> Raw:
    return stream(it) | {"hash": it.hash, "tx_json": it.in_v2 | {"date": DATE}}


SHAPES = (account_tx_v1, account_tx_v2, ledger_v1, ledger_v2, tx_v1, tx_v2, stream_v1, stream_v2)


@pytest.mark.parametrize("shape", SHAPES, ids=[shape.__name__ for shape in SHAPES])
def test_a_transaction_written_in_another_shape_is_the_same(
    shape: Callable[[Parts], Mapping[str, Any]],
) -> None:
    for one in mainnet.recorded().values():
        rewritten = shape(parts(one))
        assert read_transaction(rewritten, ledger_index=one.tx.ledger_index) == one.tx
        assert read_transaction(msgspec.json.encode(rewritten), ledger_index=one.tx.ledger_index) == one.tx


def test_the_collection_holds_six_shapes() -> None:
    shapes = Counter(one.raw["api_shape"] for one in mainnet.recorded().values())
    assert shapes == {
        "ledger-expand-v1": 1690,
        "account_tx-v1": 66,
        "tx-v1": 56,
        "ripple-data-api-v2": 38,
        "stream-v1": 10,
        "stream-v2": 1,
    }


def test_a_record_that_lost_its_hash_is_refused_until_it_is_given() -> None:
    [one] = [one for one in mainnet.recorded().values() if not has_hash(one.raw["record"])]
    assert one.raw["api_shape"] == "stream-v1"
    with pytest.raises(MalformedTransaction, match="hash"):
        read_transaction(one.raw["record"])


def has_hash(record: Raw) -> bool:
    return "hash" in record or any("hash" in record.get(inner, {}) for inner in ("tx", "transaction"))
