from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ledger_blobs import encoded

from ledger_proof.binary.objects import decode_object
from ledger_proof.errors import MalformedBlob

MADE = json.loads((Path(__file__).parents[2] / "data" / "proofs" / "made_blobs.json").read_text())


def made(refused: bool) -> list[Any]:  # noqa: FBT001 - picks one half of the cases
    return [pytest.param(case, id=case["name"]) for case in MADE if (case["right"] == "refuse") is refused]


@pytest.mark.parametrize("case", made(refused=False))
def test_a_made_blob_reads_as_its_right_answer(case: dict[str, Any]) -> None:
    assert decode_object(bytes.fromhex(case["blob"])) == case["right"]


@pytest.mark.parametrize("case", made(refused=True))
def test_a_blob_that_is_no_object_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(MalformedBlob, match="expected"):
        decode_object(bytes.fromhex(case["blob"]))


@pytest.mark.parametrize(
    "value",
    [
        "1",
        "-1",
        "100",
        "1.23456",
        "0.0000000001024601829208753",
        "1024601829208753e-26",
        "99999.99999999999",
        "9999999999999999e80",
        "1000000000000000",
        "1000000000000000e1",
        "1000000000000000e-4",
        "10000000000",
    ],
)
def test_a_token_amount_is_written_as_servers_write_it(value: str) -> None:
    amount = {"value": value, "currency": "USD", "issuer": "rpvVetNDTqUWTynuGQJnxi3Kz9pSZYDZxM"}
    assert decode_object(encoded({"TakerPays": amount})) == {"TakerPays": amount}


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("00" * 20, "XRP"),
        ("00" * 12 + "555344" + "00" * 5, "USD"),
        ("00" * 12 + "4D5054" + "00" * 5, "MPT"),
        ("00" * 12 + "585250" + "00" * 5, "0000000000000000000000005852500000000000"),
        ("00" * 12 + "552044" + "00" * 5, "0000000000000000000000005520440000000000"),
        ("01" + "00" * 11 + "555344" + "00" * 5, "0100000000000000000000005553440000000000"),
        ("00" * 12 + "555344" + "00" * 4 + "01", "0000000000000000000000005553440000000001"),
    ],
)
def test_a_currency_is_three_letters_only_where_all_else_is_zero(code: str, written: str) -> None:
    blob = bytes.fromhex("64D4838D7EA4C68000" + code + "01" * 20)
    assert decode_object(blob)["TakerPays"]["currency"] == written


def test_lengths_of_one_two_and_three_bytes_are_read() -> None:
    for prefix, length in (
        ("C0", 192),
        ("C100", 193),
        ("F0FF", 12_480),
        ("F10000", 12_481),
        ("F1C350", 62_481),
    ):
        blob = bytes.fromhex("7D" + prefix) + bytes(length)
        assert len(decode_object(blob)["MemoData"]) == 2 * length


def test_a_length_that_the_format_does_not_have_is_refused() -> None:
    with pytest.raises(MalformedBlob, match="up to 254, found 255"):
        decode_object(b"\x7d\xff" + bytes(1000))


def test_arrays_inside_each_other_are_read_and_a_tower_of_them_is_refused() -> None:
    memo = bytes.fromhex("F9EA7D0141E1F1")
    assert decode_object(memo) == {"Memos": [{"Memo": {"MemoData": "41"}}]}
    three = bytes.fromhex("F9EA" * 3 + "7D0141" + "E1F1" * 3)
    assert decode_object(three)["Memos"][0]["Memo"]["Memos"][0]["Memo"]["Memos"] == [
        {"Memo": {"MemoData": "41"}}
    ]
    with pytest.raises(MalformedBlob, match="at most 16 objects in each other"):
        decode_object(bytes.fromhex("F9EA") * 100_000)


def test_a_result_that_no_ledger_can_hold_is_refused_and_an_unknown_claim_is_told_as_one() -> None:
    assert decode_object(bytes.fromhex("031000")) == {"TransactionResult": "tesSUCCESS"}
    assert decode_object(bytes.fromhex("031067")) == {"TransactionResult": "tecUNFUNDED_OFFER"}
    assert decode_object(bytes.fromhex("0310FE"))["TransactionResult"] == "tec?254"
    with pytest.raises(MalformedBlob, match="0 or 100 to 255, found 5"):
        decode_object(bytes.fromhex("031005"))


def test_unknown_types_of_transactions_and_entries_keep_their_numbers() -> None:
    assert decode_object(bytes.fromhex("1203E7")) == {"TransactionType": "?999"}
    assert decode_object(bytes.fromhex("1103E7")) == {"LedgerEntryType": "?999"}


def test_an_unknown_field_of_three_header_bytes_is_passed_over() -> None:
    assert decode_object(bytes.fromhex("0015C8" + "AA" * 24)) == {"?21.200": "AA" * 24}
