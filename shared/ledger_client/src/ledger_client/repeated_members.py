"""Repeated members: a JSON object that names a member twice says two things, and readers take different ones.

Decoders keep the last of them. What they leave out is seen by counting: each member and each text of a JSON
document has two quotation marks, and the decoded document, written again, lacks those of the left-out ones.
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
    written = bytes(document)
    return _quotation_marks(written) != _quotation_marks(_encoder.encode(_decoder.decode(written)))


def _quotation_marks(document: bytes) -> int:
    """Count the marks around texts, and not the escaped ones inside them."""
    unescaped = document.replace(b"\\\\", b"")
    return unescaped.count(b'"') - unescaped.count(b'\\"')
