"""Ledgers and headers as blobs, from the first server that can show them."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable

import msgspec
import structlog

from ledger_client import LedgerServer, Pinned, ServerError, ask_pinned
from ledger_proof import BlobLedger, LedgerHeader, ProvenLedger, Unproven, prove_blobs, read_header

_log = structlog.get_logger()

_HEADERS_KEPT = 64


class _LedgerAnswer(Pinned, kw_only=True):
    ledger: BlobLedger


class ProvenHeader(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger's header with its bytes, which hash to the ledger's hash."""

    blob: bytes
    header: LedgerHeader


class BlobReader:
    """Asks one server after the other; what does not hash to what it must is as good as no answer."""

    def __init__(self, servers: Callable[[], Iterable[LedgerServer]]) -> None:
        """`servers`: which may be asked, the best first."""
        self._servers = servers
        self._headers: OrderedDict[int, ProvenHeader] = OrderedDict()
        """The newest that were read: ledgers that lack votes need the same ones."""

    async def read_ledger(
        self, ledger_index: int, ledger_hash: bytes
    ) -> tuple[ProvenHeader, ProvenLedger] | None:
        """Return a ledger with all its transactions; None: no server can show it now."""
        for server in self._servers():
            try:
                answer = await _ask(server, ledger_index, transactions=True)
                # in a thread: a busy ledger takes some milliseconds, and a fill may come meanwhile
                ledger = await asyncio.to_thread(prove_blobs, answer.ledger, ledger_hash=ledger_hash)
            except (ServerError, Unproven) as problem:
                _log.debug("a ledger is not proven", ledger_index=ledger_index, problem=str(problem))
                continue
            return ProvenHeader(blob=bytes.fromhex(answer.ledger.ledger_data), header=ledger.header), ledger
        return None

    async def read_header(
        self, ledger_index: int, *, ledger_hash: bytes | None = None, parent_hash: bytes | None = None
    ) -> ProvenHeader | None:
        """Return a ledger's header, with this hash or after this parent; None: no server can show it now."""
        known = self._headers.get(ledger_index)
        if known is not None and _is_wanted(known.header, ledger_hash, parent_hash):
            return known
        for server in self._servers():
            try:
                answer = await _ask(server, ledger_index, transactions=False)
                blob = bytes.fromhex(answer.ledger.ledger_data)
                header = read_header(blob)
            except (ServerError, ValueError) as problem:
                _log.debug("a header is not proven", ledger_index=ledger_index, problem=str(problem))
                continue
            if _is_wanted(header, ledger_hash, parent_hash):
                self._headers[ledger_index] = found = ProvenHeader(blob=blob, header=header)
                if len(self._headers) > _HEADERS_KEPT:
                    self._headers.popitem(last=False)
                return found
        return None


def _is_wanted(header: LedgerHeader, ledger_hash: bytes | None, parent_hash: bytes | None) -> bool:
    return ledger_hash in {None, header.ledger_hash} and parent_hash in {None, header.parent_hash}


async def _ask(server: LedgerServer, ledger_index: int, *, transactions: bool) -> _LedgerAnswer:
    return await ask_pinned(
        server,
        "ledger",
        _LedgerAnswer,
        ledger_index=ledger_index,
        transactions=transactions,
        expand=True,
        binary=True,
    )
