"""Whole ledgers, each read once for all accounts.

With many accounts, a ledger is asked for as a whole instead of once for each of them, and `account_tx` is
answered from it: for who reads an account nothing is different. A ledger is asked for twice, at once: as
JSON, which is what is read, and as blobs, which prove it. The blobs give the ledger's hash, the root of
its tree of transactions and every transaction's hash; the JSON must show just these transactions.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn

import msgspec
import structlog
from xrpl.core.addresscodec import encode_classic_address

from ledger_client import transaction_tree as tree
from ledger_client.questions import check_pinned, typed
from ledger_client.server import Answer, InvalidRequest, LedgerServer, ProtocolViolation, Refused
from ledger_client.single_flight import Once

_log = structlog.get_logger()

NEAREST = 16
"""Ledgers: an account that is further behind reads its own history; few share its way."""
_KEPT = 2 * NEAREST
_SECONDS_KEPT = 20.0
"""Until the next ledgers are read; what answers under a server's name may change, so not for long."""
_ISSUERS = frozenset({"LowLimit", "HighLimit", "TakerGets", "TakerPays"})
"""The amounts whose issuer the servers count among the affected accounts; no others."""
_decoder = msgspec.json.Decoder(dict[str, Any])


class WholeLedger(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger with all of its transactions, proven complete."""

    header: Answer
    """What `ledger` answers without transactions."""
    rows: tuple[bytes, ...]
    """The transactions as account_tx shows them, in JSON."""
    places: Mapping[str, tuple[int, ...]]
    """By account, which of the rows affect it."""

    def of(self, account: str) -> Iterator[dict[str, Any]]:
        """Yield the transactions that affect an account."""
        for place in self.places.get(account, ()):
            yield _decoder.decode(self.rows[place])


class _Proof(msgspec.Struct):
    ledger_data: str
    transactions: list["_Blobs"]


class _Blobs(msgspec.Struct):
    tx_blob: str
    meta_blob: str


class _Expanded(msgspec.Struct):
    ledger_hash: str
    transactions: list[dict[str, Any]]


class WholeLedgerServer:
    """A server whose answers to account_tx come from whole ledgers, once enough accounts are followed."""

    def __init__(
        self,
        server: LedgerServer,
        *,
        accounts: Callable[[], int],
        from_accounts: int,
        clock: Callable[[], float],
    ) -> None:
        """`accounts`: how many are followed; `from_accounts`: from how many on ledgers are read whole."""
        self._server = server
        self._accounts = accounts
        self._from_accounts = from_accounts
        self._ledgers: Once[int, WholeLedger] = Once(keep=_KEPT, seconds=_SECONDS_KEPT, clock=clock)
        self._refused = False

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        return self._server.name

    async def request(self, method: str, /, **params: object) -> Answer:
        """Ask, and return the `result` (see `LedgerServer`)."""
        match method, params:
            case "account_tx", {"account": str(account), "ledger_index_min": int(first), **rest} if (
                "marker" not in params and self._accounts() >= self._from_accounts
            ):
                last = rest.get("ledger_index_max")
                if isinstance(last, int) and first <= last <= first + NEAREST:
                    return await self._history(account, first, last)
            case "ledger", {"ledger_index": int(ledger_index)} if len(params) == 1:
                held = self._ledgers.held(ledger_index)
                if held is not None:
                    return held.header
        return await self._server.request(method, **params)

    async def close(self) -> None:
        """Close the connection, and end the reading of ledgers that nobody waits for any more."""
        await self._ledgers.close()
        await self._server.close()

    async def _history(self, account: str, first: int, last: int) -> Answer:
        bounds = {"ledger_index_min": first, "ledger_index_max": last}
        try:
            ledgers = [await self._ledger(ledger_index) for ledger_index in range(first, last + 1)]
        except (Refused, InvalidRequest) as refusal:
            if not self._refused:
                _log.warning("no whole ledger, each account is read by itself", problem=str(refusal))
            self._refused = True
            return await self._server.request("account_tx", account=account, forward=True, **bounds)
        self._refused = False
        return {**bounds, "transactions": [row for ledger in ledgers for row in ledger.of(account)]}

    async def _ledger(self, ledger_index: int) -> WholeLedger:
        return await self._ledgers.get(ledger_index, lambda: read_whole(self._server, ledger_index))


async def read_whole(server: LedgerServer, ledger_index: int) -> WholeLedger:
    """Ask for one validated ledger with all of its transactions, and prove it complete.

    Raises:
        ServerError: as every request; ProtocolViolation if it is not the ledger that its hash names.

    """
    question = {"ledger_index": ledger_index, "transactions": True, "expand": True}
    proof_answer, answer = await asyncio.gather(
        server.request("ledger", **question, binary=True), server.request("ledger", **question)
    )
    for one in (proof_answer, answer):
        check_pinned(server, "ledger", one, ledger_index)
    expanded = typed(server, "ledger", answer.get("ledger"), _Expanded)
    proven = _proven(
        server, typed(server, "ledger", proof_answer.get("ledger"), _Proof), expanded.ledger_hash
    )
    rows = expanded.transactions
    shown = {str(row.get("hash")) for row in rows}
    if shown != proven or len(rows) != len(proven):
        _violation(
            server,
            f"expected the {len(proven)} transactions that make the tree of ledger {ledger_index}, found "
            f"{len(rows)} (differing: {sorted(shown ^ proven)[:3]})",
        )
    place = {"ledger_index": ledger_index, "ledger_hash": expanded.ledger_hash, "validated": True}
    places: defaultdict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        for account in affected_accounts(server, row):
            places[account].append(number)
    header = {name: value for name, value in answer["ledger"].items() if name != "transactions"}
    return WholeLedger(
        header={**answer, "ledger": header},
        rows=tuple(msgspec.json.encode({**place, **row}) for row in rows),
        places={account: tuple(numbers) for account, numbers in places.items()},
    )


def _proven(server: LedgerServer, proof: _Proof, ledger_hash: str) -> set[str]:
    """Return the hashes of all transactions of the ledger with this hash."""
    try:
        header = bytes.fromhex(proof.ledger_data)
        leaves = dict(
            tree.leaf(bytes.fromhex(one.tx_blob), bytes.fromhex(one.meta_blob)) for one in proof.transactions
        )
    except ValueError as error:
        _violation(server, f"expected blobs in hexadecimal: {error}")
    if (found := tree.ledger_hash(header)) != ledger_hash:
        _violation(server, f"expected a header with the hash {ledger_hash}, found one with {found}")
    if (root := tree.root_of(leaves)) != tree.root_in(header):
        _violation(
            server,
            f"expected {tree.root_in(header).hex().upper()} as the root of the tree of transactions, "
            f"found {root.hex().upper()} from {len(leaves)}: some are missing or spoiled",
        )
    return {name.hex().upper() for name in leaves}


def affected_accounts(server: LedgerServer, row: Mapping[str, Any]) -> set[str]:
    """Return the accounts in whose account_tx a transaction stands; more texts may be among them.

    Servers take them from the metadata: every account that an entry names on top, the issuers of offers'
    and trust lines' amounts, and the issuer of a multi-purpose token.

    Raises:
        ProtocolViolation: if the metadata can't be read.

    """
    found: set[str] = set()
    try:
        for wrapped in row["meta"]["AffectedNodes"]:
            for kind, node in wrapped.items():
                fields = node.get("NewFields" if kind == "CreatedNode" else "FinalFields", {})
                found.update(_named(fields.items()))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        _violation(server, f"transaction {row.get('hash')}: expected metadata, found {error!r}")
    return found


def _named(fields: Iterable[tuple[str, Any]]) -> Iterator[str]:
    for name, value in fields:
        # Of all fields only accounts are written like this
        if isinstance(value, str) and value.startswith("r"):
            yield value
        elif name in _ISSUERS and isinstance(value, dict):
            yield value["issuer"] if "issuer" in value else _token_issuer(value["mpt_issuance_id"])
        elif name == "MPTokenIssuanceID":
            yield _token_issuer(value)


def _token_issuer(issuance: str) -> str:
    """Read the account at the end of a token's id, behind the sequence."""
    return encode_classic_address(bytes.fromhex(issuance)[4:])


def _violation(server: LedgerServer, text: str) -> NoReturn:
    raise ProtocolViolation(server.name, f"ledger: {text}")
