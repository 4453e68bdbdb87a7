from __future__ import annotations

import base64
import json
import os
import zlib
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import life_proofs
import msgspec
import pytest
from ledger_blobs import BLOB_SESSIONS
from life_proofs import NETWORK, POLICY, life_proof, proven_session
from made_validators import MadeNetwork, manifest_of

from ledger_proof import (
    LifeProof,
    ProofEnd,
    ProofReport,
    SignedList,
    TrustPolicy,
    Unproven,
    account_bytes,
    assemble_life_proof,
    check_list,
    check_proof,
    steps_in,
    write_document,
)
from ledger_proof.transaction_tree import leaf
from order_events import OrderFilled, OrderStatus
from replay_node.made_keys import MadeKey

if TYPE_CHECKING:
    from collections.abc import Callable

EXHAUSTIVE = bool(os.environ.get("FILLPROOF_EXHAUSTIVE"))
STRIDE = 1 if EXHAUSTIVE else 1_009
"""Of a file every so many-eth byte is changed. It is prime: all parts of the file get their share."""
SESSION = BLOB_SESSIONS / "hybrid_both_books.json.gz"
TEN_STEPS = Path(__file__).parents[2] / "data" / "proofs" / "life_ten_steps.json"


def filled_order() -> tuple[str, int]:
    """Return an order of the session that traded in parts and was canceled."""
    session = proven_session(SESSION)
    return next(
        key for key, order in session.orders.items() if order.gave and order.status is OrderStatus.CANCELED
    )


@lru_cache(maxsize=1)
def proof() -> LifeProof:
    return life_proof(proven_session(SESSION), *filled_order())


def report(changed: LifeProof | bytes, policy: TrustPolicy = POLICY) -> ProofReport:
    return check_proof(changed if isinstance(changed, bytes) else write_document(changed), policy)


def with_(**parts: Any) -> LifeProof:  # noqa: ANN401 - any part of a proof
    return msgspec.structs.replace(proof(), **parts)


def refusal(changed: LifeProof | bytes, policy: TrustPolicy = POLICY) -> str:
    """Return what the last step of the chain says; the proof must be refused."""
    found = report(changed, policy)
    assert found.end is ProofEnd.REFUSED
    assert found.verdict is None
    last = found.chain[-1]
    assert not last.ok
    return f"{last.what}: expected {last.expected}, found {last.found}"


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


def votes(blobs: list[bytes]) -> LifeProof:
    texts = [base64.b64encode(blob).decode() for blob in blobs]
    return with_(runs=[msgspec.structs.replace(proof().runs[0], validations=texts)])


def test_one_vote_fewer_than_the_quorum_is_not_enough_and_is_told_apart_from_a_forgery() -> None:
    session = proven_session(SESSION)
    own = life_proofs.validations(session.last.header.ledger_index, session)
    found = report(votes(own[:-1]))
    assert found.end is ProofEnd.NOT_ENOUGH_VOTES
    assert found.chain[-1].found == "27 of 35 (needed 28)"
    assert found.verdict is not None


def test_votes_that_are_none_are_refused() -> None:
    session = proven_session(SESSION)
    header = session.last.header
    own = NETWORK.validations(header, 28)
    assert "each validator once" in refusal(votes([*own, own[0]]))
    assert "each validator once" in refusal(votes([own[0]] * 28))
    for bad in (
        NETWORK.validation(header, 30, flags=0x8000_0000),
        NETWORK.validation(header, 30, high_s=True),
        NETWORK.validation(header, 30, ledger_hash=b"\x01" * 32),
        NETWORK.validation(session.ledgers[0].header, 30),
        MadeNetwork(name="outsiders").validation(header, 1),
    ):
        assert "each of them a vote" in refusal(votes([*own, bad]))
        assert "each of them a vote" in refusal(votes([*own[1:], bad]))


def test_a_list_of_another_publisher_or_out_of_force_is_refused() -> None:
    closed = proven_session(SESSION).last.header.close_time
    assert "trusts" in refusal(proof(), TrustPolicy())
    assert "trusts" in refusal(with_(lists=[MadeNetwork(name="stranger").list]))
    forged = SignedList(
        manifest=NETWORK.list.manifest,
        blob=MadeNetwork(name="forger", size=35).list.blob,
        signature=NETWORK.list.signature,
    )
    assert "a signature by" in refusal(with_(lists=[forged]))
    for other in (MadeNetwork(size=35, expiration=closed), MadeNetwork(size=35, effective=closed + 1)):
        assert "one in force" in refusal(with_(lists=[other.list]))
    assert "found none" in refusal(with_(lists=[]))


def test_an_older_list_than_the_reader_demands_is_refused() -> None:
    demanding = msgspec.structs.replace(POLICY, oldest_lists={NETWORK.trusted: 2})
    assert "sequence 2 or later" in refusal(proof(), demanding)
    assert report(proof(), msgspec.structs.replace(POLICY, oldest_lists={NETWORK.trusted: 1})).closed


def test_a_kept_copy_of_a_newer_list_goes_before_the_files() -> None:
    newer = check_list(MadeNetwork(size=40, sequence=2).list)
    found = report(proof(), msgspec.structs.replace(POLICY, lists=[newer]))
    assert found.end is ProofEnd.NOT_ENOUGH_VOTES
    assert found.confirmations[0].list_sequence == 2


def test_two_publishers_can_be_demanded() -> None:
    second = second_publisher()
    both = TrustPolicy(publishers=[NETWORK.trusted, second.trusted], publishers_needed=2)
    one_alone = report(proof(), both)
    assert one_alone.end is ProofEnd.NOT_ENOUGH_VOTES
    assert "lists of 2 publishers" in one_alone.chain[-1].expected
    found = report(with_(lists=[NETWORK.list, second.list]), both)
    assert found.end is ProofEnd.PROVED_CLOSED
    assert len(found.confirmations) == 2


def second_publisher() -> MadeNetwork:
    """Return a publisher who lists the same validators by another key."""

    class Second(MadeNetwork):
        @property
        def publisher(self) -> MadeKey:
            return MadeKey("second publisher")

    return Second(size=35)


def test_without_validations_all_hangs_on_a_hash_that_the_reader_can_look_up() -> None:
    session = proven_session(SESSION)
    bare = with_(runs=[msgspec.structs.replace(proof().runs[0], validations=[])], lists=[])
    found = report(bare)
    assert found.end is ProofEnd.HANGS_ON_LEDGER_HASH
    header = session.last.header
    shown = header.ledger_hash.hex().upper()
    assert found.anchors == {header.ledger_index: shown}
    known = TrustPolicy(ledger_hashes=[shown.lower()])
    assert report(bare, known).end is ProofEnd.PROVED_CLOSED
    other = TrustPolicy(ledger_hashes=["00" * 32])
    assert "as looked up" in refusal(bare, other)
    assert "as looked up" in refusal(proof(), msgspec.structs.replace(other, publishers=[NETWORK.trusted]))


def test_a_newer_manifest_lets_a_validator_with_a_new_key_vote() -> None:
    session = proven_session(SESSION)
    header, account, sequence = session.last.header, *filled_order()
    new_key = MadeKey("rotated", "secp256k1")
    rotated = NETWORK.validation(header, 27, signing=new_key)
    assembled = assemble_life_proof(
        account=account_bytes(account),
        sequence=sequence,
        steps=session.steps(account, sequence),
        headers=session.headers,
        validations={header.ledger_index: [*NETWORK.validations(header, 27), rotated]},
        lists=[NETWORK.list],
        manifests=[manifest_of(NETWORK.master(27), new_key, 2)],
    )
    assert report(assembled).closed
    forged = manifest_of(NETWORK.master(27), new_key, 2, spoiled="MasterSignature")
    refusal(msgspec.structs.replace(assembled, manifests=[base64.b64encode(forged).decode()]))


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
