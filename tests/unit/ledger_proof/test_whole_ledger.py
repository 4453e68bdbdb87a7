from __future__ import annotations

from functools import lru_cache

import ledger_blobs as blobs
import msgspec
import pytest

from ledger_proof.base58 import account_bytes
from ledger_proof.errors import Unproven
from ledger_proof.header import read_header, write_header
from ledger_proof.owners import OwnerSearch
from ledger_proof.transaction_tree import root_of_path
from ledger_proof.whole_ledger import BlobLedger, prove_blobs, prove_ledger
from offer_lifecycle import read_transaction

SESSION = blobs.BLOB_SESSIONS / "hybrid_both_books.json.gz"


@lru_cache(maxsize=1)
def busiest() -> blobs.BlobLedger:
    return max(blobs.session_ledgers(SESSION), key=lambda ledger: len(ledger.rows))


def test_every_recorded_ledger_is_proven_by_its_own_bytes() -> None:
    proven = [
        prove_ledger(ledger.header or b"", ledger.rows, ledger_hash=bytes.fromhex(ledger.ledger_hash))
        for path in sorted(blobs.BLOB_SESSIONS.glob("*.json.gz"))
        for ledger in blobs.session_ledgers(path)
    ]
    assert len(proven) > 20


def test_a_header_is_written_as_it_was_read() -> None:
    header = busiest().header or b""
    assert write_header(read_header(header)) == header


def test_a_header_of_another_length_is_refused() -> None:
    with pytest.raises(Unproven, match="118 bytes, found 117"):
        read_header(bytes(117))


def test_a_ledger_with_another_hash_than_the_expected_one_is_refused() -> None:
    ledger = busiest()
    with pytest.raises(Unproven, match="expected hash 0101.*found " + ledger.ledger_hash):
        prove_ledger(ledger.header or b"", ledger.rows, ledger_hash=b"\x01" * 32)


def test_any_byte_changed_in_any_row_is_found() -> None:
    ledger = busiest()
    for place, row in enumerate(ledger.rows):
        for part in (0, 1):
            for at in range(0, len(row[part]), 37):
                spoiled = list(row)
                spoiled[part] = row[part][:at] + bytes([row[part][at] ^ 1]) + row[part][at + 1 :]
                rows = [*ledger.rows[:place], (spoiled[0], spoiled[1]), *ledger.rows[place + 1 :]]
                with pytest.raises(Unproven, match="missing, added or changed"):
                    prove_ledger(ledger.header or b"", rows)


def test_a_row_left_out_doubled_or_added_is_found() -> None:
    ledger = busiest()
    others = next(other.rows for other in blobs.session_ledgers(SESSION) if other.rows and other != ledger)
    for rows in (ledger.rows[1:], [*ledger.rows, ledger.rows[0]], [*ledger.rows, others[0]], []):
        with pytest.raises(Unproven):
            prove_ledger(ledger.header or b"", rows)


def test_a_servers_answer_is_proven_in_both_of_its_shapes() -> None:
    ledger = busiest()
    for metadata in ("meta", "meta_blob"):
        answer = {
            "ledger_data": (ledger.header or b"").hex().upper(),
            "transactions": [{"tx_blob": tx.hex(), metadata: meta.hex()} for tx, meta in ledger.rows],
        }
        proven = prove_blobs(msgspec.convert(answer, BlobLedger))
        assert proven.facts().ledger_hash == ledger.ledger_hash
        assert {tx.hash for tx in proven.transactions()} == {one["hash"] for one in ledger.transactions}


def test_blobs_that_are_no_hexadecimal_are_refused() -> None:
    with pytest.raises(Unproven, match="expected hexadecimal digits"):
        prove_blobs(BlobLedger(ledger_data="xyz"))


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "compiled"])
@pytest.mark.parametrize("filler", [0, 40], ids=["alone", "among others"])
def test_the_search_finds_every_transaction_that_touches_a_followed_account(plain: bool, filler: int) -> None:  # noqa: FBT001
    others = [bytes([0, number]) + bytes(18) for number in range(filler)]
    found = 0
    for path in sorted(blobs.BLOB_SESSIONS.glob("*.json.gz")):
        for ledger in blobs.session_ledgers(path):
            proven = prove_ledger(ledger.header or b"", ledger.rows)
            for account in {one["Account"] for one in ledger.transactions}:
                search = OwnerSearch([account_bytes(account), *others], plain=plain)
                shown = {tx.hash for tx in proven.transactions(search)}
                read = (read_transaction(one, ledger_index=1) for one in ledger.transactions)
                assert shown >= {tx.hash for tx in read if tx.touches(account)}
                found += len(shown)
    assert found


def test_an_account_that_begins_or_ends_with_zeros_is_found() -> None:
    accounts = [bytes(20), bytes(19) + b"\x01", b"\x01" + bytes(19), b"\x02" * 20, b"\x03" * 20]
    blobs_ = [b"\x09" * 30 + account + b"\x09" * 3 for account in accounts] + [b"\x09" * 50]
    for plain in (True, False):
        assert OwnerSearch(accounts, plain=plain).matching(blobs_) == [0, 1, 2, 3, 4]
        assert OwnerSearch(accounts, plain=plain).matching([b"\x09" * 50]) == []


def test_a_proven_transaction_has_a_path_to_the_headers_root() -> None:
    ledger = busiest()
    proven = prove_ledger(ledger.header or b"", ledger.rows)
    for name, own in proven.leaves:
        assert root_of_path(proven.path(name), name, own) == proven.header.transaction_root
