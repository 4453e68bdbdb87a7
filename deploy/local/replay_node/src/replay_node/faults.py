"""The faults that the node can be told to have. Each is off by default and independent of the others.

Chance is derived from the seed, the fault and the message itself, so the same seed gives the same faults
whatever the timing and however many clients are connected.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

import msgspec

from replay_node.errors import RpcError
from replay_node.forgery import Forgery
from replay_node.validators import Voices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay_node.session import Json

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Faults(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The table of faults. Counts of what is "next" run down; 0, false and null switch a fault off."""

    seed: int = 0
    close_after: Count = 0
    """Every WebSocket connection is closed after this many stream messages."""
    skip: Share = 0.0
    """Share of stream messages that are not sent."""
    double: Share = 0.0
    """Share of stream messages that are sent twice."""
    reorder: Share = 0.0
    """Share of stream messages that change places with the next one of their ledger."""
    delay: Seconds = 0.0
    """Seconds by which every stream message is late."""
    slow_down: Count = 0
    """The next requests get `slowDown`."""
    overload: Count = 0
    """The next requests get HTTP 503 in plain text; a WebSocket is closed with code 1008."""
    load_warning: Count = 0
    """The next answers carry `warning: load`."""
    hole: tuple[int, int] | None = None
    """First and last ledger of a range that the server lacks."""
    empty_pages: Count = 0
    """The next account_tx and account_offers pages are empty and have a marker."""
    other_chain: bool = False
    """Ledger hashes and parent hashes are those of another chain."""
    absent_validators: Count = 0
    """So many validators sign for no ledger."""
    forge: Forgery = Forgery.NONE
    """What the server shows as JSON is forged (see `Forgery`); its blobs and hashes are true."""
    forge_from: Count = 0
    """The first ledger of which it forges anything."""
    rehash: bool = False
    """Its blobs and hashes are made anew from what is forged: a chain that contradicts itself nowhere."""
    invent: Count = 0
    """So many ledgers follow the newest one that nobody has closed; their hashes link up."""
    stale: Count = 0
    """JSON answers and streams show so many of the newest ledgers as if nothing had happened in them."""
    voices: Voices = Voices.TRUE
    """What the stream `validations` brings (see `Voices`)."""
    lag: Count = 0
    """The server is this many ledgers behind."""

    def change(self, wanted: Json) -> None:
        """Set the named faults and leave the others.

        Raises:
            RpcError: `invalidParams` for an unknown fault or a value that is none for it; nothing is changed.

        """
        try:
            changed = msgspec.convert({**msgspec.to_builtins(self), **wanted}, Faults)
        except msgspec.ValidationError as error:
            raise RpcError("invalidParams", f"Invalid fault: {error}") from error
        if changed.hole and changed.hole[0] > changed.hole[1]:
            text = f"Invalid fault: expected a hole [first, last], found {changed.hole}"
            raise RpcError("invalidParams", text)
        for name in self.__struct_fields__:
            setattr(self, name, getattr(changed, name))

    def take(self, name: str) -> bool:
        """Use up one of a fault that holds for the next n; False where none is left."""
        left: int = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return left > 0

    def lacks(self, ledger_index: int) -> bool:
        """Say whether the ledger is in the hole."""
        return self.hole is not None and self.hole[0] <= ledger_index <= self.hole[1]

    def disturb(self, messages: Sequence[Json]) -> list[Json]:
        """Return one ledger's messages as a subscriber gets them: some skipped, doubled, out of order."""
        sent = [message for message in messages if not self._strikes("skip", message)]
        for place in range(len(sent) - 1):
            if self._strikes("reorder", sent[place]):
                sent[place], sent[place + 1] = sent[place + 1], sent[place]
        return [message for message in sent for _ in range(2 if self._strikes("double", message) else 1)]

    def _strikes(self, name: str, message: Json) -> bool:
        share: float = getattr(self, name)
        if share == 0:
            return False
        place = message.get("meta", {}).get("TransactionIndex", message.get("validation_public_key"))
        sign = f"{self.seed} {name} {message.get('ledger_hash')} {place}"
        drawn = int.from_bytes(hashlib.sha256(sign.encode()).digest()[:4], "big")
        return drawn < share * 2**32
