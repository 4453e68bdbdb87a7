"""Entries put together from metadata are those that the node itself showed after each ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest
from replaying import recorded

from replay_node.entries import EntryHistory
from replay_node.funding import amount_text, quality_text
from replay_node.keys import account_key, amm_key, asset, book_key, is_address, offer_key, quality_bits
from replay_node.views import LedgerView, amount_asset

SESSIONS = ["random_2", "random_amm_3", "ticketed", "account_deleted", "with_amm", "reserve_unfunded"]


@pytest.mark.parametrize("name", SESSIONS)
def test_rebuilt_offers_are_the_recorded_ones_in_every_ledger(name: str) -> None:
    entries = EntryHistory(recorded(name).ledgers)
    for ledger in recorded(name).ledgers:
        rebuilt = {
            (offer["Account"], offer["Sequence"]): (offer["TakerGets"], offer["TakerPays"], offer["Flags"])
            for offer in entries.of_type("Offer", ledger.ledger_index)
        }
        shown = {
            (state["account_data"]["Account"], row["seq"]): (
                row["taker_gets"],
                row["taker_pays"],
                row["flags"],
            )
            for state in ledger.after.values()
            for row in state.get("offers", [])
        }
        assert rebuilt == shown


@pytest.mark.parametrize("name", SESSIONS)
def test_rebuilt_account_roots_are_the_recorded_ones(name: str) -> None:
    entries = EntryHistory(recorded(name).ledgers)
    compared = 0
    for ledger in recorded(name).ledgers:
        for state in ledger.after.values():
            root = state.get("account_data")
            rebuilt = root and entries.at(account_key(root["Account"]), ledger.ledger_index)
            if rebuilt:
                compared += 1
                # A field that its first change takes away leaves no trace of its absence before.
                assert {name: rebuilt[name] for name in root} == root
    assert compared


@pytest.mark.parametrize("name", SESSIONS)
def test_keys_and_directories_computed_are_those_of_the_ledger(name: str) -> None:
    last = recorded(name).ledgers[-1]
    view = LedgerView(last, EntryHistory(recorded(name).ledgers))
    for state in last.after.values():
        for row in state.get("offers", []):
            key = offer_key(state["account_data"]["Account"], row["seq"])
            entry = view.entry(key)
            assert entry is not None
            book = book_key(amount_asset(row["taker_pays"]), amount_asset(row["taker_gets"]))
            assert entry["BookDirectory"] == book + quality_bits(row["quality"])
            assert quality_text(entry["BookDirectory"]) == row["quality"]


def test_an_offer_that_the_session_never_touched_is_told_from_its_row() -> None:
    last = recorded("random_2").ledgers[-1]
    known = list(LedgerView(last, EntryHistory(recorded("random_2").ledgers)).offers())
    untouched = list(LedgerView(last, EntryHistory([])).offers())

    told = ("Account", "BookDirectory", "Flags", "Sequence", "TakerGets", "TakerPays", "index")
    assert [[offer[name] for name in told] for offer in untouched] == [
        [offer[name] for name in told] for offer in known
    ]
    assert [offer.get("Expiration") for offer in untouched] == [offer.get("Expiration") for offer in known]


@pytest.mark.parametrize("name", ["frozen_line", "random_2", "transfer_fee"])
def test_a_trust_line_that_the_session_never_touched_is_told_from_its_row(name: str) -> None:
    last = recorded(name).ledgers[-1]
    touched = EntryHistory(recorded(name).ledgers)
    view = LedgerView(last, EntryHistory([]))
    compared = 0
    for line in touched.of_type("RippleState", last.ledger_index):
        told = view.entry(line["index"])
        assert told is not None
        assert {side: told[side] for side in ("HighLimit", "LowLimit")} == {
            side: line[side] for side in ("HighLimit", "LowLimit")
        }
        assert Decimal(told["Balance"]["value"]) == Decimal(line["Balance"]["value"])
        # Whose reserve it counts to, no row says
        assert told["Flags"] == line["Flags"] & ~(0x0001_0000 | 0x0002_0000)
        compared += 1
    assert compared


def test_a_pool_s_key_is_the_recorded_amm_id() -> None:
    usd = asset("USD", recorded("with_amm").accounts["issuer"])

    assert amm_key(asset("XRP", None), usd).startswith("AD9C03E51B1DD61E")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("100", "100"),
        ("0.0000004793772976006735", "0.0000004793772976006735"),
        ("2116382.211797466", "2116382.211797466"),
        ("3500000000000000e-42", "3500000000000000e-42"),
    ],
)
def test_values_are_written_as_the_ledger_writes_them(value: str, text: str) -> None:
    assert amount_text(Decimal(value)) == text


@pytest.mark.parametrize("value", ["", "nonsense", "rrrrrrrrrrrrrrrrrrrrBZbvjj", 5, None])
def test_what_is_no_address_is_told_from_one(value: object) -> None:
    assert not is_address(value)
    assert is_address("rrrrrrrrrrrrrrrrrrrrBZbvji")
