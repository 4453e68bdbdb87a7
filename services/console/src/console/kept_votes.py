"""Validations that somebody kept as they came, and the lists that say whose of them count.

No server returns old validations: they exist only in the streams `validations` and `manifests`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from console.errors import BadOption
from ledger_proof import Manifest, Unproven, Validation, ValidatorList, read_manifest, read_validation


class KeptVotes(msgspec.Struct, frozen=True, kw_only=True):
    """Validations by ledger index, and those who may vote."""

    validations: Mapping[int, Sequence[Validation]]
    lists: Sequence[ValidatorList]
    manifests: Sequence[Manifest]
    """Newer than the lists', of validators that changed their signing key."""


class _Message(msgspec.Struct):
    """Of the streams `validations` and `manifests`; every other message is passed over."""

    type: str | None = None
    data: str | None = None
    manifest: str | None = None


def read_kept_votes(path: Path | None, lists: Sequence[ValidatorList]) -> KeptVotes:
    """Read the messages of the streams as a WebSocket brought them, one a line; None: nothing was kept.

    Raises:
        BadOption: if a line is no such message, or a validation or manifest in it can't be read.

    """
    validations: dict[int, dict[bytes, Validation]] = {}
    manifests: list[Manifest] = []
    for number, message in () if path is None else _messages(path):
        try:
            if message.type == "validationReceived" and message.data is not None:
                one = read_validation(bytes.fromhex(message.data))
                validations.setdefault(one.ledger_index, {})[one.signing_key] = one
            elif message.type == "manifestReceived" and message.manifest is not None:
                manifests.append(read_manifest(bytes.fromhex(message.manifest)))
        except ValueError as error:
            raise BadOption(f"{path}, line {number}: {error}") from error
    return KeptVotes(
        validations={index: list(by_key.values()) for index, by_key in validations.items()},
        lists=lists,
        manifests=[one for one in manifests if is_newer_than_listed(one, lists)],
    )


def _messages(path: Path) -> Iterator[tuple[int, _Message]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadOption(f"expected a readable file, found {path}: {error.strerror}") from error
    for number, line in enumerate(lines, start=1):
        try:
            yield number, msgspec.json.decode(line, type=_Message)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadOption(f"{path}, line {number}: expected a stream's message, found: {error}") from error


def is_newer_than_listed(manifest: Manifest, lists: Sequence[ValidatorList]) -> bool:
    """Whether a manifest is newer than the one that a list has of the same validator, and its own."""
    listed = [one.manifests[manifest.master_key] for one in lists if manifest.master_key in one.manifests]
    try:
        manifest.check()
    except Unproven:
        return False
    return any(manifest.sequence > one.sequence for one in listed)
