"""How transactions look in answers and streams, in api_version 1 and 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replay_node.chain import Chain
    from replay_node.session import Json
    from replay_node.transactions import AppliedTransaction

V2 = 2


class Shapes:
    """The forms of a transaction, with ledger hashes of the chain that the server follows."""

    def __init__(self, chain: Chain, network_id: int | None) -> None:
        self._chain = chain
        self._network_id = network_id or 0

    def in_history(self, transaction: AppliedTransaction, api_version: int) -> Json:
        """Return a member of account_tx's `transactions`."""
        if api_version < V2:
            index = transaction.ledger.ledger_index
            tx = _fields(transaction) | _date(transaction) | {"inLedger": index, "ledger_index": index}
            return {"meta": transaction.meta, "tx": tx, "validated": True}
        tx_json = _fields_v2(transaction) | _date(transaction)
        tx_json["ledger_index"] = transaction.ledger.ledger_index
        return self._wrapped(transaction, tx_json)

    def in_ledger(self, transaction: AppliedTransaction, api_version: int) -> Json:
        """Return a member of an expanded ledger's `transactions`."""
        if api_version < V2:
            return transaction.raw
        return self._wrapped(transaction, _fields_v2(transaction))

    def alone(self, transaction: AppliedTransaction, api_version: int) -> Json:
        """Return the result of `tx`."""
        place = {"ctid": self._ctid(transaction)}
        shown = self.in_history(transaction, api_version)
        if api_version < V2:
            return {**shown.pop("tx"), **shown, **place}
        return shown | place

    def in_stream(self, message: Json, api_version: int) -> Json:
        """Return a recorded `transaction` message as a subscriber of that api_version receives it."""
        if api_version < V2:
            return message
        shown = {name: value for name, value in message.items() if name != "transaction"}
        tx_json = _without_old_names(message["transaction"])
        return shown | {"tx_json": tx_json, "hash": message["transaction"]["hash"]}

    def _wrapped(self, transaction: AppliedTransaction, tx_json: Json) -> Json:
        return {
            "close_time_iso": transaction.ledger.header["close_time_iso"],
            "hash": transaction.hash,
            "ledger_hash": self._chain.hash_of(transaction.ledger),
            "ledger_index": transaction.ledger.ledger_index,
            "meta": transaction.meta,
            "tx_json": tx_json,
            "validated": True,
        }

    def _ctid(self, transaction: AppliedTransaction) -> str:
        ledger_index, place = transaction.place
        return f"{0xC0000000 + ledger_index:08X}{place:04X}{self._network_id:04X}"


def _fields(transaction: AppliedTransaction) -> Json:
    return {name: value for name, value in transaction.raw.items() if name != "metaData"}


def _fields_v2(transaction: AppliedTransaction) -> Json:
    return _without_old_names(_fields(transaction))


def _without_old_names(tx: Json) -> Json:
    """Drop what api_version 2 moved or renamed: the hash to the wrapper, a Payment's Amount to DeliverMax."""
    dropped = {"hash", "Amount"} if tx["TransactionType"] == "Payment" else {"hash"}
    return {name: value for name, value in tx.items() if name not in dropped}


def _date(transaction: AppliedTransaction) -> Json:
    return {"date": transaction.ledger.header["close_time"]}
