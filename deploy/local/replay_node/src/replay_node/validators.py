"""The validators of a recorded session: invented ones, who sign for its ledgers, and their published list.

They sign for the ledgers as they were recorded, whatever fault makes the server say of them.
"""

from __future__ import annotations

import base64
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import msgspec
from base58 import RIPPLE_ALPHABET, b58encode_check

from replay_node.made_keys import MadeKey, blob_field

if TYPE_CHECKING:
    from collections.abc import Iterator

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


class MadeValidators:
    """So many validators, and the publisher that lists them. The first one changes its signing key early."""

    def __init__(self, count: int, first_index: int) -> None:
        """`first_index`: the session's first ledger."""
        self._count = count
        self._rotates_at = first_index + _ROTATES_AFTER
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

    def validations(self, ledger: RecordedLedger, *, absent: int, api_version: int) -> Iterator[Json]:
        """Yield the stream's messages about a ledger; `absent`: so many validators sign for none."""
        for number in range(max(self._count - absent, 0)):
            close_time = int(ledger.header["close_time"])
            blob = self._signed(ledger.ledger_index, ledger.header["ledger_hash"], close_time, number)
            yield {
                "type": "validationReceived",
                "cookie": str(number),
                "data": blob.hex().upper(),
                "flags": _FLAGS,
                "full": True,
                "ledger_hash": ledger.header["ledger_hash"],
                "ledger_index": ledger.ledger_index if api_version >= _V2 else str(ledger.ledger_index),
                "master_key": _in_base58(_master(number)),
                "signing_time": close_time,
                "validation_public_key": _in_base58(self._signing(number, ledger.ledger_index)),
            }

    def manifests(self, ledger: RecordedLedger) -> Iterator[Json]:
        """Yield the stream's messages of keys that are new from a ledger on."""
        if ledger.ledger_index != self._rotates_at or not self._count:
            return
        master, signing = _master(0), self._signing(0, ledger.ledger_index)
        manifest = _manifest(master, signing, sequence=_ROTATED_SEQUENCE)
        yield {
            "type": "manifestReceived",
            "manifest": manifest.hex().upper(),
            "master_key": _in_base58(master),
            "seq": _ROTATED_SEQUENCE,
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

    def _signing(self, number: int, ledger_index: int) -> MadeKey:
        rotated = number == 0 and ledger_index >= self._rotates_at
        return _signing(number, sequence=_ROTATED_SEQUENCE if rotated else 1)

    def _sign(self, ledger_index: int, ledger_hash: str, close_time: int, number: int) -> bytes:
        key = self._signing(number, ledger_index)
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


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _in_base58(key: MadeKey) -> str:
    return b58encode_check(_NODE_KEY + key.public, alphabet=RIPPLE_ALPHABET).decode()
