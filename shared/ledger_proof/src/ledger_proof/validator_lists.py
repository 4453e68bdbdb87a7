"""Validator lists: whom a publisher trusts, signed by the publisher's key.

A list proves itself: its publisher's manifest is signed by the publisher's master key, and names the key
that signed the list. Whether to trust that master key is the reader's decision alone, and is never taken
from a label. Versions 1 and 2 of the published format are read.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from ledger_proof.base58 import node_key_bytes
from ledger_proof.errors import Unproven
from ledger_proof.manifests import Manifest, read_manifest
from ledger_proof.signatures import KEY_BYTES, is_signed
from ledger_proof.strict_json import from_base64, from_hex, read_json

LARGEST: int = 2_000_000
"""Bytes of a document; the published ones have some 20,000."""

KNOWN_PUBLISHERS: Mapping[str, str] = {
    "ED2677ABFFD1B33AC6FBC3062B71F1E8397C1505E1C42C64D11AD1B28FF73F4734": "vl.ripple.com (mainnet)",
    "ED42AEC58B701EEBB77356FFFEC26F83C1F0407263530F068C7C73D392C7E06FD1": "unl.xrplf.org (mainnet)",
    "ED45D1840EE724BE327ABE9146503D5848EFD5F38B6D5FEDE71E80ACCE5E6E738B": "vl.xrplf.org until 2024 (mainnet)",
}
"""Master keys of the publishers of mainnet's lists, and where they publish."""


class SignedList(msgspec.Struct, frozen=True, kw_only=True):
    """A list's parts as they are published: manifest and blob in Base64, the signature in hexadecimal."""

    manifest: str
    blob: str
    signature: str


class ValidatorList(msgspec.Struct, frozen=True, kw_only=True):
    """A list whose signatures hold."""

    publisher: bytes
    """The publisher's master key."""
    sequence: int
    effective: int
    """Ripple seconds: from this ledger time on it is in force,"""
    expiration: int
    """and before this one."""
    entries: int
    """All of them, those that can't be used included: the quorum is taken of this number."""
    manifests: Mapping[bytes, Manifest]
    """By master key, the manifests of the entries that can be used; each is checked with its vote."""
    bare_keys: frozenset[bytes]
    """Keys of entries without a manifest (lists of 2017): they sign for themselves."""
    published: SignedList

    @property
    def quorum(self) -> int:
        """The least number of validators that make a proof: 80 % of all entries, rounded up."""
        return (8 * self.entries + 9) // 10

    def in_force(self, close_time: int) -> bool:
        """Whether it is the list of a ledger that closed at this time (ripple seconds)."""
        return self.effective <= close_time < self.expiration


class _Entry(msgspec.Struct, frozen=True):
    validation_public_key: str
    manifest: str | None = None


class _Blob(msgspec.Struct, frozen=True):
    sequence: int
    expiration: int
    validators: list[_Entry]
    effective: int = 0


class _Later(msgspec.Struct, frozen=True):
    blob: str
    signature: str
    manifest: str | None = None


class _Document(msgspec.Struct, frozen=True):
    manifest: str
    version: int
    blob: str | None = None
    signature: str | None = None
    blobs_v2: list[_Later] | None = None
    blobs_as_specified: list[_Later] | None = msgspec.field(name="blobs-v2", default=None)
    """XLS-45 spells it so; servers do not."""


def read_list_document(document: bytes) -> Iterator[SignedList]:
    """Yield the lists of a published document, in version 1 the one, in version 2 each.

    Raises:
        Unproven: if it is no such document.

    """
    read = read_json("validator list", document, _Document, largest=LARGEST)
    if read.blob is not None and read.signature is not None:
        yield SignedList(manifest=read.manifest, blob=read.blob, signature=read.signature)
    elif later_lists := read.blobs_v2 or read.blobs_as_specified:
        for later in later_lists:
            manifest = later.manifest or read.manifest
            yield SignedList(manifest=manifest, blob=later.blob, signature=later.signature)
    else:
        raise Unproven("validator list", expected="a blob with its signature, or blobs_v2", found="neither")


def check_list(published: SignedList) -> ValidatorList:
    """Return a list, if its publisher's manifest and its signature hold.

    Raises:
        Unproven: naming what does not.

    """
    manifest = read_manifest(from_base64("publisher's manifest", published.manifest))
    manifest.check()
    blob = from_base64("validator list", published.blob)
    if not is_signed(manifest.signing_key, blob, from_hex("list's signature", published.signature)):
        key = manifest.signing_key.hex().upper()
        raise Unproven("validator list", expected=f"a signature by {key}", found="another")
    read = read_json("validator list", blob, _Blob, largest=LARGEST)
    manifests: dict[bytes, Manifest] = {}
    bare_keys: set[bytes] = set()
    for entry in read.validators:
        try:
            listed = _key(entry.validation_public_key)
            if entry.manifest is None:
                bare_keys.add(listed)
                continue
            own = read_manifest(from_base64("manifest", entry.manifest))
        except Unproven:
            continue  # an entry that can't be used has no vote; it still counts for the quorum
        if own.master_key == listed:
            manifests[listed] = own
    return ValidatorList(
        publisher=manifest.master_key,
        sequence=read.sequence,
        effective=read.effective,
        expiration=read.expiration,
        entries=len(read.validators),
        manifests=manifests,
        bare_keys=frozenset(bare_keys),
        published=published,
    )


def list_in_force(lists: Iterable[ValidatorList], publisher: bytes, close_time: int) -> ValidatorList:
    """Return the publisher's newest list that was in force when a ledger closed (ripple seconds).

    Raises:
        Unproven: if none was.

    """
    own = [one for one in lists if one.publisher == publisher]
    in_force = [one for one in own if one.in_force(close_time)]
    if not in_force:
        times = ", ".join(f"{one.effective} to {one.expiration}" for one in own) or "no list"
        what = f"list of {publisher.hex().upper()}"
        raise Unproven(what, expected=f"one in force at {close_time}", found=times)
    return max(in_force, key=lambda one: one.sequence)


def _key(text: str) -> bytes:
    return node_key_bytes(text) if text.startswith("n") else from_hex("key", text, KEY_BYTES)
