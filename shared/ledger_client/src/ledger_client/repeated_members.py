"""Repeated members: a JSON object that names a member twice says two things, and readers take different ones.

Decoders keep the last of them, so that a document that is the same when it is decoded and written again names
none twice. Servers write most documents just so. Where one differs, by spaces or by how a number is written,
what the decoder left out is seen by counting: each member and each text has two quotation marks, and the
document written again lacks those of the left-out ones.
"""

import msgspec

LARGEST = 65_536
"""Bytes. Longer answers are lists of transactions: to look into them too would double the time of reading."""
_decoder = msgspec.json.Decoder(strict=False)
_encoder = msgspec.json.Encoder()


def repeats_a_member(document: bytes | msgspec.Raw) -> bool:
    """Whether an object of a JSON document of up to `LARGEST` bytes names a member twice.

    Raises:
        msgspec.DecodeError, RecursionError: the document can't be read.

    """
    if len(document) > LARGEST:
        return False
    written = bytes(document).strip()
    written_again = _encoder.encode(_decoder.decode(written))
    return written_again != written and _quotation_marks(written_again) != _quotation_marks(written)


def _quotation_marks(document: bytes) -> int:
    """Count the marks around texts, and not the escaped ones inside them."""
    unescaped = document.replace(b"\\\\", b"")
    return unescaped.count(b'"') - unescaped.count(b'\\"')
