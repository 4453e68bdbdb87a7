"""Answers of a server, decoded once into the struct of their question, and checked against it.

Numbers in them are int or Decimal, never float.
"""

from collections.abc import AsyncIterator, Callable, Sized
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import msgspec

from ledger_client.server import LedgerServer, ProtocolViolation

_STALLS = 10
"""Pages in a row with the same marker, before the server is taken to turn in a circle."""
_EMPTY = 1_000
"""Pages in a row that show nothing: an account's other objects may fill many of 400 entries."""

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
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, RecursionError) as error:
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
        ServerError: as every request; ProtocolViolation if there is no end of them.

    """
    marker: Any = None
    stalls = empty = 0
    while stalls < _STALLS and empty < _EMPTY:
        more = {} if marker is None else {"marker": marker}
        page = read(await server.request(method, **params, **more))
        yield page
        # Only a missing marker ends; the same one again may be an empty page of a busy server
        before, marker = marker, page.marker
        if marker is None:
            return
        stalls = stalls + 1 if marker == before else 0
        empty = 0 if page.rows else empty + 1
    raise ProtocolViolation(
        server.name,
        f"{method}: expected a new marker, found {marker!r} again and again, or pages without an end",
    )
