"""Answers of a server, decoded once into the struct of their question, and checked against it.

Numbers in them are int or Decimal, never float.
"""

from collections.abc import AsyncIterator, Callable, Sized
from decimal import Decimal
from typing import Annotated, Any, Protocol, TypeVar

import msgspec

from ledger_client.envelope import LAST_LEDGER, UNREADABLE
from ledger_client.server import Endless, LedgerServer, ProtocolViolation

LedgerIndex = Annotated[int, msgspec.Meta(ge=1, le=LAST_LEDGER)]
Drops = Annotated[int, msgspec.Meta(ge=0, le=10**17)]
"""There are no more: 100 billion XRP."""

_STALLS = 10
"""Empty pages in a row with the marker that was given: a busy server may not get any further in its time."""
_LONGEST_MARKER = 4_096
"""Bytes; servers write less than 200, and it is sent back to them."""
_MOST_PAGES = 2_000
"""Of one question: with 400 entries each, more than any account owns."""
_MOST_BYTES = 128 * 2**20
"""Of all pages of one question together; 256 ledgers of the busiest accounts take a fifth of it."""

T = TypeVar("T")


class Pinned(msgspec.Struct):
    """An answer that must be of the validated ledger that was asked for."""

    ledger_index: int | None = None
    validated: Any = None


class Page(Protocol):
    """A part of an answer."""

    @property
    def marker(self) -> Any:  # noqa: ANN401 - the server's own, given back as it is
        """What to ask for the next part with; None: this is the last one."""
        ...

    @property
    def rows(self) -> Sized:
        """What it shows."""
        ...


PinnedT = TypeVar("PinnedT", bound=Pinned)
PageT = TypeVar("PageT", bound=Page)


_decoders: dict[object, msgspec.json.Decoder[Any]] = {}
"""One for each kind of answer: making one takes longer than decoding with it."""


def decode(server: str, method: str, result: msgspec.Raw, kind: type[T]) -> T:
    """Decode a result into the struct of its question.

    Raises:
        ProtocolViolation: if it does not fit, naming the field.

    """
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind, strict=False, float_hook=Decimal)
    try:
        answer: T = decoder.decode(result)
    except UNREADABLE as error:
        raise ProtocolViolation(server, f"{method}: {error}") from error
    return answer


async def ask(server: LedgerServer, method: str, kind: type[T], /, **params: object) -> T:
    """Ask one question.

    Raises:
        ServerError: as every request; ProtocolViolation if the answer is not of its kind.

    """
    return decode(server.name, method, await server.request(method, **params), kind)


async def ask_pinned(
    server: LedgerServer, method: str, kind: type[PinnedT], /, *, ledger_index: int, **params: object
) -> PinnedT:
    """Ask one question about one validated ledger.

    Raises:
        ServerError: as every request; ProtocolViolation if the answer is of another ledger.

    """
    answer = await ask(server, method, kind, ledger_index=ledger_index, **params)
    check_pinned(server, method, answer, ledger_index)
    return answer


def check_pinned(server: LedgerServer, method: str, answer: Pinned, ledger_index: int) -> None:
    """Check that an answer is of the validated ledger that was asked for.

    Raises:
        ProtocolViolation: if it is of another one, or not validated.

    """
    if answer.validated is not True or answer.ledger_index != ledger_index:
        raise ProtocolViolation(
            server.name,
            f"{method}: expected validated ledger {ledger_index}, "
            f"found ledger {answer.ledger_index}, validated {answer.validated}",
        )


async def pages(
    server: LedgerServer, method: str, read: Callable[[msgspec.Raw], PageT], /, **params: object
) -> AsyncIterator[PageT]:
    """Yield the answers to one question, page by page.

    Raises:
        ServerError: as every request; Endless if they do not lead to an end.

    """
    marker: Any = None
    seen: set[bytes] = set()
    stalls = read_bytes = 0
    for _ in range(_MOST_PAGES):
        more = {} if marker is None else {"marker": marker}
        result = await server.request(method, **params, **more)
        read_bytes += len(result)
        page = read(result)
        yield page
        # Only a missing marker ends
        before, marker = marker, page.marker
        if marker is None:
            return
        stalls = stalls + 1 if marker == before and not page.rows else 0
        key = msgspec.json.encode(marker)
        if (key in seen and not stalls) or stalls > _STALLS or len(key) > _LONGEST_MARKER:
            raise Endless(server.name, f"{method}: expected a new, short marker, found {key!r:.80}")
        if read_bytes > _MOST_BYTES:
            raise Endless(server.name, f"{method}: expected at most {_MOST_BYTES} bytes of pages, found more")
        seen.add(key)
    raise Endless(server.name, f"{method}: expected at most {_MOST_PAGES} pages, found a marker after them")
