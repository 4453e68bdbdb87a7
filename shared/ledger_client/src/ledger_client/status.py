"""What a server has: its newest validated ledger, its history, its network, the reserves of today."""

from decimal import Decimal
from typing import Annotated, Protocol, TypeGuard

import msgspec

from ledger_client.answers import LedgerIndex, ask
from ledger_client.server import LedgerServer, ProtocolViolation, Refused
from offer_lifecycle import Reserves

DROPS_PER_XRP = 1_000_000
_ALL_DROPS = 10**17
"""There are no more: 100 billion XRP."""
_LONGEST_RANGES = 10_000
"""Characters of complete_ledgers: some hundreds of ranges."""


Ranges = tuple[tuple[int, int], ...]
"""Ranges of ledgers, each by its first and its last one."""


class ServerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says it has."""

    validated: int
    """The newest validated ledger."""
    complete: Ranges
    """The ranges of ledgers that it holds whole."""
    network_id: int
    reserves: Reserves
    """In drops, those of the newest validated ledger."""

    @property
    def held(self) -> str:
        """The ranges as people write them."""
        return ",".join(f"{low}-{high}" for low, high in self.complete) or "none"

    def up_to(self, last: int | None) -> "ServerStatus":
        """Return what it has, as if no ledger had been validated after `last`."""
        if last is None or self.validated <= last:
            return self
        return msgspec.structs.replace(self, validated=last)

    def covers(self, first: int, last: int) -> bool:
        """Whether one unbroken range holds all of them."""
        return any(low <= first and last <= high for low, high in self.complete)


class StatusServer(Protocol):
    """A server whose newest ledger is known without a question, from its stream."""

    async def status(self) -> ServerStatus:
        """Return what the server has by now.

        Raises:
            ServerError: as every request, where a question is needed after all.

        """
        ...


def knows_status(server: LedgerServer) -> TypeGuard[StatusServer]:
    """Whether it is a `StatusServer`: every followed account looks at each ledger."""
    return hasattr(server, "status")


async def server_status(server: LedgerServer) -> ServerStatus:
    """Return the server's newest validated ledger, its history and its network: by its stream, or ask.

    Raises:
        Refused: if it has validated no ledger yet.
        ServerError: as every request.

    """
    return await (server.status() if knows_status(server) else ask_status(server))


async def ask_status(server: LedgerServer) -> ServerStatus:
    """Ask for the server's newest validated ledger, its history and its network.

    Raises:
        Refused: if it has validated no ledger yet.
        ServerError: as every request.

    """
    info = (await ask(server, "server_info", _ServerInfo)).info
    ledger = info.validated_ledger
    if ledger is None:
        raise Refused(
            server.name,
            "noValidatedLedger",
            "server_info: expected a validated ledger, found none: is it still syncing?",
        )
    return ServerStatus(
        validated=ledger.seq,
        complete=_ranges(server, info.complete_ledgers),
        network_id=info.network_id or 0,
        reserves=Reserves(
            base=_drops(server, ledger.reserve_base_xrp), increment=_drops(server, ledger.reserve_inc_xrp)
        ),
    )


class _ValidatedLedger(msgspec.Struct):
    seq: LedgerIndex
    reserve_base_xrp: Decimal
    reserve_inc_xrp: Decimal


class _Info(msgspec.Struct):
    complete_ledgers: Annotated[str, msgspec.Meta(max_length=_LONGEST_RANGES)]
    validated_ledger: _ValidatedLedger | None = None
    network_id: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] | None = None


class _ServerInfo(msgspec.Struct):
    info: _Info


def _drops(server: LedgerServer, xrp: Decimal) -> int:
    # A comparison first: a number of a thousand digits or none at all must not be calculated with
    if not (xrp.is_finite() and 0 <= xrp <= _ALL_DROPS // DROPS_PER_XRP):
        raise ProtocolViolation(server.name, f"server_info: expected a reserve in XRP, found {xrp}")
    return int(xrp * DROPS_PER_XRP)


def _ranges(server: LedgerServer, text: str) -> Ranges:
    try:
        return read_ranges(text)
    except ValueError as error:
        raise ProtocolViolation(server.name, f"server_info: {error}") from error


def read_ranges(text: str) -> Ranges:
    """Read `2-10,15,20-30` or `empty`.

    Raises:
        ValueError: it is written otherwise.

    """
    if text in {"empty", ""}:
        return ()
    try:
        bounds = [part.partition("-") for part in text.split(",")]
        return tuple((int(low), int(high or low)) for low, _, high in bounds)
    except ValueError as error:
        raise ValueError(f"expected complete_ledgers like 2-10,15, found {text!r}") from error
