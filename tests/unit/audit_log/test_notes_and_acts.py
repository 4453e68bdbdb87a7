"""Signed notes: whose they are, and what an act of an operator may say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from signed_log import KEYS, LOG_KEY, MADE_AT, OPERATOR_KEY, ORIGIN, STRANGER_KEY, checkpoint_of

from audit_log import (
    Failover,
    Refused,
    Retention,
    due_before,
    read_act,
    read_checkpoint,
    read_signing_key,
    read_verifier_key,
    sign_act,
    write_signing_key,
)
from audit_log.signed_note import signed_text

CHECKPOINT = checkpoint_of([bytes([number]) * 32 for number in range(5)])
RETENTION = Retention(operator="mia", time=MADE_AT, keep=12, months=("2025-09", "2025-10"))
FAILOVER = Failover(
    operator="mia", time=MADE_AT, lost=9, continues=7, digest=bytes(32), reason="the standby was promoted"
)


def test_a_note_of_another_implementation_is_read() -> None:
    """The example of Go's package golang.org/x/mod/sumdb/note."""
    key = read_verifier_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    assert signed_text(f"{text}\n— PeterNeumann {signature}\n", [key]) == (text, key)
    signing = read_signing_key(
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    )
    assert signing.sign(text) == f"{text}\n— PeterNeumann {signature}\n"


def test_a_checkpoint_is_read_as_it_was_signed() -> None:
    note = CHECKPOINT.signed_by(LOG_KEY)
    assert read_checkpoint(note, KEYS) == CHECKPOINT
    assert note.startswith(f"{ORIGIN}\n5\n")


@pytest.mark.parametrize("at", range(0, 260, 3))
def test_no_character_of_a_checkpoint_can_be_changed(at: int) -> None:
    note = CHECKPOINT.signed_by(LOG_KEY)
    changed = f"{note[:at]}{'a' if note[at] != 'a' else 'b'}{note[at + 1 :]}"
    with pytest.raises(Refused):
        read_checkpoint(changed, KEYS)


def test_only_the_logs_own_key_signs_checkpoints() -> None:
    other = msgspec.structs.replace(CHECKPOINT, origin="another/log")
    for note, key in (
        (CHECKPOINT.signed_by(OPERATOR_KEY), OPERATOR_KEY),
        (CHECKPOINT.signed_by(STRANGER_KEY), STRANGER_KEY),
        (other.signed_by(LOG_KEY), LOG_KEY),
    ):
        with pytest.raises(Refused, match="expected a"):
            read_checkpoint(note, [*KEYS, key.verifier])
    with pytest.raises(Refused, match="by a trusted key, found those of: mia"):
        read_checkpoint(CHECKPOINT.signed_by(STRANGER_KEY), KEYS)


@pytest.mark.parametrize("act", [RETENTION, FAILOVER])
def test_an_act_is_read_as_the_operator_signed_it(act: Retention | Failover) -> None:
    note = sign_act(act, OPERATOR_KEY)
    assert read_act(note, KEYS) == act
    with pytest.raises(Refused, match="by a trusted key"):
        read_act(sign_act(act, STRANGER_KEY), KEYS)
    with pytest.raises(Refused, match="whose key has signed it"):
        read_act(LOG_KEY.sign(act.text), KEYS)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"months": ("2025-11",)}, "before 2025-11, which were due, found 2025-11"),
        ({"months": ("2025-10", "2025-09")}, "each once and in order"),
        ({"months": ()}, "expected months as"),
        ({"months": ("2025-13",)}, "expected months as"),
        ({"keep": 0}, "at least 1 month"),
    ],
)
def test_retention_of_what_was_not_due_is_refused(changed: dict[str, Any], expected: str) -> None:
    note = OPERATOR_KEY.sign(msgspec.structs.replace(RETENTION, **changed).text)
    with pytest.raises(Refused, match=expected):
        read_act(note, KEYS)


def test_an_act_whose_reason_has_lines_of_its_own_is_not_signed() -> None:
    with pytest.raises(Refused):
        sign_act(msgspec.structs.replace(FAILOVER, reason="a\noperator leo"), OPERATOR_KEY)


@pytest.mark.parametrize(
    ("keep", "first"), [(1, "2026-10"), (11, "2025-12"), (12, "2025-11"), (10, "2026-01"), (24, "2024-11")]
)
def test_months_are_kept_from_the_one_that_is_so_many_before(keep: int, first: str) -> None:
    assert due_before(datetime(2026, 11, 29, tzinfo=UTC), keep) == first


def test_keys_are_written_as_they_are_read_and_show_no_secret() -> None:
    written = write_signing_key("mia", b"o" * 32)
    assert read_signing_key(f"{written}\n").verifier == OPERATOR_KEY.verifier
    assert read_verifier_key(str(OPERATOR_KEY.verifier)) == OPERATOR_KEY.verifier
    for bad in ("", "mia", written.replace("mia", "leo"), written[:-4], written.removeprefix("PRIVATE+")):
        with pytest.raises(Refused) as refused:
            read_signing_key(bad)
        assert written[-20:] not in str(refused.value)
    with pytest.raises(Refused, match="expected the hash"):
        read_verifier_key(str(OPERATOR_KEY.verifier).replace("mia", "leo"))
