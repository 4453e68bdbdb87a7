"""The validators of a recorded session: invented ones, who sign for its ledgers, and their published list.

They sign for the ledgers as they were recorded, whatever fault makes the server say of them. What the server
brings of their messages may be a lie, too (`Voices`).
"""

from __future__ import annotations

import base64
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import msgspec
from base58 import RIPPLE_ALPHABET, b58encode_check

from replay_node.made_keys import MadeKey, blob_field

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replay_node.session import Json, RecordedLedger

_NODE_KEY = b"\x1c"
"""What a node's public key begins with before it is written in base58."""
_FLAGS: Final = 0x8000_0001
"""A full validation with a signature in canonical form."""
_NEVER: Final = 2**31 - 1
"""When the list expires, in ripple seconds: no session is that late."""
_ROTATES_AFTER: Final = 3
"""Ledgers after the session's first one, until the first validator signs with a new key."""
_V2: Final = 2
_ROTATED_SEQUENCE: Final = 2
_NO_HASH: Final = "0" * 64
_REVOKED_SEQUENCE: Final = 2**32 - 1


class Voices(StrEnum):
    """What the server brings of the validators."""

    TRUE = ""
    WITHHELD = "withheld"
    """Nothing."""
    STRANGERS = "strangers"
    """As many signatures of keys that no list names, for the ledger that the server shows."""
    FORGED = "forged"
    """The listed validators' messages for the ledger that the server shows; the signatures do not hold."""
    OLD_KEY = "old_key"
    """The first validator goes on signing with its old key, after the manifest of the new one."""
    REVOKED = "revoked"
    """The first validator revokes its master key instead of changing its signing key, and goes on signing."""


class MadeValidators:
    """So many validators, and the publisher that lists them. The first one changes its signing key early."""

    def __init__(self, count: int, ledgers: Sequence[RecordedLedger] = ()) -> None:
        """`ledgers`: the session's, as they were recorded; none: only the list is wanted."""
        self._count = count
        self._rotates_at = (ledgers[0].ledger_index if ledgers else 0) + _ROTATES_AFTER
        self._hashes: dict[int, str] = {one.ledger_index: one.header["ledger_hash"] for one in ledgers}
        self._signed = lru_cache(maxsize=64)(self._sign)

    @cached_property
    def publisher(self) -> str:
        """The publisher's master key, in hexadecimal: whom a reader of the session's proofs may trust."""
        return _PUBLISHER.public.hex().upper()

    @cached_property
    def document(self) -> Json:
        """The published list, version 1, as a publisher's site serves it."""
        blob = msgspec.json.encode({"sequence": 1, "expiration": _NEVER, "validators": self._entries()})
        return {
            "public_key": self.publisher,
            "manifest": _base64(_manifest(_PUBLISHER, _LIST_KEY, sequence=1)),
            "blob": _base64(blob),
            "signature": _LIST_KEY.sign(blob).hex().upper(),
            "version": 1,
        }

    def validations(
        self,
        ledger: RecordedLedger,
        *,
        shown_hash: str = "",
        voices: Voices = Voices.TRUE,
        absent: int,
        api_version: int,
    ) -> Iterator[Json]:
        """Yield the stream's messages about a ledger; `absent`: so many validators sign for none.

        `shown_hash`: the one that the server names, for which those sign that do not exist.
        """
        lie = voices in {Voices.STRANGERS, Voices.FORGED}
        ledger_hash = shown_hash if lie else self._true_hash(ledger)
        count = 0 if voices is Voices.WITHHELD else max(self._count - absent, 0)
        for number in range(count):
            close_time = int(ledger.header["close_time"])
            key = self._signing(number, ledger.ledger_index, voices)
            blob = self._signed(ledger.ledger_index, ledger_hash, close_time, number, key)
            if voices is Voices.FORGED:
                blob = blob[:-1] + bytes([blob[-1] ^ 1])
            yield {
                "type": "validationReceived",
                "cookie": str(number),
                "data": blob.hex().upper(),
                "flags": _FLAGS,
                "full": True,
                "ledger_hash": ledger_hash,
                "ledger_index": ledger.ledger_index if api_version >= _V2 else str(ledger.ledger_index),
                "master_key": _in_base58(_master(number)),
                "signing_time": close_time,
                "validation_public_key": _in_base58(key),
            }

    def manifests(self, ledger: RecordedLedger, voices: Voices = Voices.TRUE) -> Iterator[Json]:
        """Yield the stream's messages of keys that are new from a ledger on, or revoked."""
        if ledger.ledger_index != self._rotates_at or not self._count or voices is Voices.WITHHELD:
            return
        master, signing = _master(0), _signing(0, sequence=_ROTATED_SEQUENCE)
        if voices is Voices.REVOKED:
            manifest, sequence = _revocation(master), _REVOKED_SEQUENCE
        else:
            manifest, sequence = _manifest(master, signing, sequence=_ROTATED_SEQUENCE), _ROTATED_SEQUENCE
        yield {
            "type": "manifestReceived",
            "manifest": manifest.hex().upper(),
            "master_key": _in_base58(master),
            "seq": sequence,
            "signing_key": _in_base58(signing),
        }

    def _entries(self) -> list[Json]:
        return [
            {
                "validation_public_key": _master(number).public.hex().upper(),
                "manifest": _base64(_manifest(_master(number), _signing(number, sequence=1), sequence=1)),
            }
            for number in range(self._count)
        ]

    def _true_hash(self, ledger: RecordedLedger) -> str:
        """Return the hash that was recorded, for which the validators sign; an invented ledger has none."""
        return self._hashes.get(ledger.ledger_index, _NO_HASH)

    def _signing(self, number: int, ledger_index: int, voices: Voices) -> MadeKey:
        if voices is Voices.STRANGERS:
            return MadeKey(f"fillproof replay node: signing key of stranger {number}", "secp256k1")
        rotates = voices not in {Voices.OLD_KEY, Voices.REVOKED}
        rotated = rotates and number == 0 and ledger_index >= self._rotates_at
        return _signing(number, sequence=_ROTATED_SEQUENCE if rotated else 1)

    def _sign(self, ledger_index: int, ledger_hash: str, close_time: int, number: int, key: MadeKey) -> bytes:
        fields = (
            b"\x22" + _FLAGS.to_bytes(4, "big"),
            b"\x26" + ledger_index.to_bytes(4, "big"),
            b"\x29" + close_time.to_bytes(4, "big"),
            b"\x3a" + number.to_bytes(8, "big"),
            b"\x51" + bytes.fromhex(ledger_hash),
            b"\x50\x17" + bytes(32),
            b"\x50\x19" + bytes(32),
            blob_field("73", key.public),
        )
        covered = b"".join(fields)
        return covered + blob_field("76", key.sign(b"VAL\0" + covered))


_PUBLISHER = MadeKey("fillproof replay node: publisher")
_LIST_KEY = MadeKey("fillproof replay node: list key")


def _master(number: int) -> MadeKey:
    return MadeKey(f"fillproof replay node: master key of validator {number}")


@lru_cache(maxsize=256)
def _signing(number: int, *, sequence: int) -> MadeKey:
    return MadeKey(f"fillproof replay node: signing key {sequence} of validator {number}", "secp256k1")


def _manifest(master: MadeKey, signing: MadeKey, *, sequence: int) -> bytes:
    """Return what names the signing key, signed by it and by the master key."""
    covered = b"\x24" + sequence.to_bytes(4, "big")
    covered += blob_field("71", master.public) + blob_field("73", signing.public)
    own, by_master = signing.sign(b"MAN\0" + covered), master.sign(b"MAN\0" + covered)
    return covered + blob_field("76", own) + blob_field("7012", by_master)


def _revocation(master: MadeKey) -> bytes:
    """Return the manifest after which nothing counts that the master key has ever named."""
    covered = b"\x24" + _REVOKED_SEQUENCE.to_bytes(4, "big") + blob_field("71", master.public)
    return covered + blob_field("7012", master.sign(b"MAN\0" + covered))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _in_base58(key: MadeKey) -> str:
    return b58encode_check(_NODE_KEY + key.public, alphabet=RIPPLE_ALPHABET).decode()
