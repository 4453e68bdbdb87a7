"""A life proof: what a genuine one tells, and every change of one that is refused."""

from __future__ import annotations

import base64
import json
import os
import zlib
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from changed_proofs import SESSION, filled_order, proof, refusal, report, with_
from ledger_blobs import BLOB_SESSIONS
from life_proofs import NETWORK, POLICY, life_proof, proven_session
from made_validators import MadeNetwork

from ledger_proof import (
    LifeProof,
    ProofEnd,
    SignedList,
    TrustPolicy,
    Unproven,
    account_bytes,
    assemble_life_proof,
    check_proof,
    steps_in,
    write_document,
)
from ledger_proof.transaction_tree import leaf
from order_events import OrderFilled, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable

EXHAUSTIVE = bool(os.environ.get("FILLPROOF_EXHAUSTIVE"))
STRIDE = 1 if EXHAUSTIVE else 1_009
"""Of a file every so many-eth byte is changed. It is prime: all parts of the file get their share."""
TEN_STEPS = Path(__file__).parents[2] / "data" / "proofs" / "life_ten_steps.json"


def test_a_proof_tells_its_chain_of_trust_step_by_step() -> None:
    found = report(proof())
    assert found.end is ProofEnd.PROVED_CLOSED
    assert all(step.ok for step in found.chain)
    whats = " / ".join(step.what for step in found.chain)
    for part in (
        "file",
        "list 1 of 35",
        "headers",
        "ledger",
        "step 1: OfferCreate",
        "PreviousTxnID",
        "verdict",
    ):
        assert part in whats
    assert found.confirmations[0].votes == 28
    assert found.verdict is not None
    assert [event for event in found.verdict.events if isinstance(event, OrderFilled)]


def test_a_file_of_a_typical_order_is_small() -> None:
    document = write_document(proof())
    assert len(document) <= 45_000
    assert len(zlib.compress(document, 9)) <= 25_000


def test_any_changed_byte_is_refused() -> None:
    document = write_document(proof())
    accepted = [
        at
        for at in range(0, len(document), STRIDE)
        if check_proof(document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :], POLICY).end
        is not ProofEnd.REFUSED
    ]
    assert accepted == []


def test_a_digit_in_the_other_case_is_refused() -> None:
    signature = NETWORK.list.signature
    lower = msgspec.structs.replace(NETWORK.list, signature=signature.lower())
    assert "one way to write" in refusal(with_(lists=[lower]))


@pytest.mark.parametrize("part", ["steps", "runs", "lists", "account"])
def test_bytes_changed_in_each_part_of_a_file_are_refused(part: str) -> None:
    document = write_document(proof())
    start = document.index(f'"{part}":'.encode())
    for at in range(start, start + 260, 20 if not EXHAUSTIVE else 1):
        changed = document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :]
        assert check_proof(changed, POLICY).end is ProofEnd.REFUSED


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: text + b"\n",
        lambda text: b" " + text,
        lambda text: text.replace(b'"version":1', b'"version":1,"version":1', 1),
        lambda text: text.replace(b'"version":1', b'"version":1.0', 1),
        lambda text: text.replace(b'"version":1', b'"version":1e0', 1),
        lambda text: text.replace(b'"version":1', b'"version":2', 1),
        lambda text: text.replace(b'"version":1', b'"version":1,"verdict":"filled"', 1),
        lambda text: text.replace(b'"account":"r', b'"account":"\\u0072', 1),
        lambda text: json.dumps(json.loads(text)).encode(),
        lambda text: json.dumps(json.loads(text), separators=(",", ":"), sort_keys=True).encode(),
        lambda text: text[:-100],
        lambda _: b"[" * 1_000_000,
        lambda _: b"{}",
        lambda _: b"",
        lambda _: b"\xff",
    ],
    ids=[
        *("newline", "space", "repeated", "1.0", "1e0", "version", "claim", "escape", "spaces", "order"),
        *("cut", "tower", "empty object", "empty", "no text"),
    ],
)
def test_a_file_has_one_way_to_be_written(rewrite: Callable[[bytes], bytes]) -> None:
    assert refusal(rewrite(write_document(proof()))).startswith("file")


def test_a_step_left_out_swapped_or_doubled_is_refused() -> None:
    steps = proof().steps
    assert len(steps) >= 4
    for number in range(len(steps) - 1):
        assert "step" in refusal(with_(steps=[*steps[:number], *steps[number + 1 :]]))
    refusal(with_(steps=[steps[0], steps[2], steps[1], *steps[3:]]))
    refusal(with_(steps=steps[::-1]))
    for number in range(len(steps)):
        refusal(with_(steps=[*steps[: number + 1], *steps[number:]]))
    assert "some, with a header" in refusal(with_(steps=[]))


def test_a_life_whose_end_was_cut_off_is_never_called_closed() -> None:
    found = report(with_(steps=proof().steps[:-1]))
    assert found.end is ProofEnd.PROVED_UNTIL
    assert not found.closed
    assert found.last_ledger_index == proof().steps[-2].ledger_index


def test_another_orders_steps_are_refused() -> None:
    session = proven_session(SESSION)
    other = next(key for key in session.orders if key != filled_order())
    others = life_proof(session, *other)
    assert "step 1" in refusal(with_(steps=others.steps, runs=others.runs))
    assert "step 1" in refusal(with_(sequence=proof().sequence + 1))
    assert "step 1" in refusal(with_(account="rrrrrrrrrrrrrrrrrrrrrhoLvTp"))
    assert "checksum" in refusal(with_(account="rrrrrrrrrrrrrrrrrrrrrhoLvTq"))
    refusal(with_(sequence=0))
    refusal(with_(sequence=2**32))


def test_metadata_or_a_path_of_another_step_is_refused() -> None:
    first, second, *others = proof().steps
    swapped = msgspec.structs.replace(first, metadata=second.metadata)
    assert "root" in refusal(with_(steps=[swapped, second, *others]))
    moved = msgspec.structs.replace(first, path=second.path)
    refusal(with_(steps=[moved, second, *others]))
    elsewhere = msgspec.structs.replace(first, ledger_index=second.ledger_index)
    refusal(with_(steps=[elsewhere, second, *others]))


def headers_of(run: int = 0) -> list[bytes]:
    blob = base64.b64decode(proof().runs[run].headers)
    return [blob[at : at + 118] for at in range(0, len(blob), 118)]


def with_headers(headers: list[bytes]) -> LifeProof:
    run = msgspec.structs.replace(proof().runs[0], headers=base64.b64encode(b"".join(headers)).decode())
    return with_(runs=[run])


def test_a_header_left_out_doubled_added_or_cut_is_refused() -> None:
    headers = headers_of()
    assert "header" in refusal(with_headers([*headers[:2], *headers[3:]]))
    assert "header" in refusal(with_headers([headers[0], *headers]))
    assert "118 bytes each" in refusal(with_headers([b"".join(headers)[:-1]]))
    assert "118 bytes each" in refusal(with_headers([]))
    refusal(with_headers(headers[:-1]))
    earlier = proven_session(SESSION).headers[int.from_bytes(headers[0][:4], "big") - 1]
    assert "runs that begin at a step" in refusal(with_headers([earlier, *headers]))
    run = proof().runs[0]
    assert "ledgers after" in refusal(with_(runs=[run, run]))
    assert "a header for each" in refusal(with_(runs=[]))


def slow_order() -> tuple[Path, str, int]:
    """Return the recorded order with the most ledgers between two of its steps, and its session."""

    def pause(one: tuple[Path, str, int]) -> int:
        path, *key = one
        steps = proven_session(path).steps(*key)
        return max((b.touching.ledger_index - a.touching.ledger_index for a, b in pairwise(steps)), default=0)

    paths = sorted(BLOB_SESSIONS.glob("*.json.gz"))
    return max(((path, *key) for path in paths for key in proven_session(path).orders), key=pause)


def test_a_long_life_goes_over_several_anchors() -> None:
    path, account, sequence = slow_order()
    session, small = proven_session(path), MadeNetwork(size=1)
    steps = session.steps(account, sequence)
    touched = {step.touching.ledger_index for step in steps}
    signed = [one.header for one in session.ledgers if one.header.ledger_index in touched]
    assembled = assemble_life_proof(
        account=account_bytes(account),
        sequence=sequence,
        steps=steps,
        headers=session.headers,
        validations={header.ledger_index: small.validations(header) for header in signed},
        lists=[small.list],
    )
    assert len(assembled.runs) > 1
    policy = msgspec.structs.replace(POLICY, publishers=[small.trusted])
    assert report(assembled, policy).end in {ProofEnd.PROVED_CLOSED, ProofEnd.PROVED_UNTIL}
    assert "header for each" in refusal(msgspec.structs.replace(assembled, runs=assembled.runs[1:]), policy)
    refusal(msgspec.structs.replace(assembled, runs=assembled.runs[::-1]), policy)


def test_a_proof_without_a_header_between_step_and_anchor_is_not_made() -> None:
    session = proven_session(SESSION)
    account, sequence = filled_order()
    steps = session.steps(account, sequence)
    with pytest.raises(Unproven, match="headers: expected all from"):
        assemble_life_proof(
            account=account_bytes(account),
            sequence=sequence,
            steps=steps,
            headers={session.last.header.ledger_index: b""},
            validations={},
            lists=[],
        )


def test_ten_real_mainnet_steps_are_accepted_and_closed() -> None:
    made = json.loads(TEN_STEPS.read_bytes())
    unl = made["unl"]
    converted = LifeProof(
        format="fillproof-life-proof",
        version=1,
        account=made["account"],
        sequence=made["sequence"],
        steps=[ten_step(step) for step in made["steps"]],
        runs=[
            {  # type: ignore[list-item]
                "headers": base64.b64encode(bytes.fromhex("".join(made["headers"]))).decode(),
                "validations": [base64.b64encode(bytes.fromhex(one)).decode() for one in made["validations"]],
            }
        ],
        lists=[SignedList(manifest=unl["manifest"], blob=unl["blob"], signature=unl["signature"])],
        manifests=[],
    )
    document = write_document(converted)
    found = check_proof(document, TrustPolicy(publishers=[unl["public_key"]]))
    assert found.end is ProofEnd.PROVED_CLOSED, found.chain[-1]
    assert sum(step.what.startswith("step ") for step in found.chain) == 10
    assert check_proof(document).end is ProofEnd.REFUSED


def ten_step(step: dict[str, Any]) -> Any:  # noqa: ANN401 - as it stands in a file
    """Return a step of the prototype as our file has it."""
    parts, level = [], step["path"]
    while isinstance(level, list):
        below = next((one for one in level if isinstance(one, list)), None)
        leaf_hash = leaf_of(step)
        listed = [
            one if isinstance(one, str) and one != leaf_hash and one.strip("0") else None for one in level
        ]
        bits = sum(1 << 15 - branch for branch, one in enumerate(listed) if one)
        parts.append(bits.to_bytes(2, "big") + b"".join(bytes.fromhex(one) for one in listed if one))
        level = below
    return {
        "ledger_index": int(step["ledger_index"]),
        "transaction": base64.b64encode(bytes.fromhex(step["tx"])).decode(),
        "metadata": base64.b64encode(bytes.fromhex(step["meta"])).decode(),
        "path": base64.b64encode(b"".join(parts)).decode(),
    }


def leaf_of(step: dict[str, Any]) -> str:
    return leaf(bytes.fromhex(step["tx"]), bytes.fromhex(step["meta"]))[1].hex().upper()


def test_the_search_for_steps_finds_an_order_that_never_rested() -> None:
    for path in sorted(BLOB_SESSIONS.glob("*.json.gz")):
        session = proven_session(path)
        rejected = [key for key, order in session.orders.items() if order.status is OrderStatus.REJECTED]
        for account, sequence in rejected[:2]:
            steps = session.steps(account, sequence)
            assert [step.touching.kind for step in steps] == [None]
            found = report(life_proof(session, account, sequence))
            assert found.end is ProofEnd.PROVED_CLOSED
        if rejected:
            return
    pytest.fail("no session has a rejected order")


def test_a_ledgers_steps_come_in_the_order_in_which_they_were_applied() -> None:
    session = proven_session(SESSION)
    for ledger in session.ledgers:
        for account, sequence in session.orders:
            places = [step.touching.index for step in steps_in(ledger, account_bytes(account), sequence)]
            assert places == sorted(places)
