"""A request to the node, and reading its fields as the real node reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from replay_node.errors import RpcError, expected, invalid, missing
from replay_node.keys import is_address

if TYPE_CHECKING:
    from replay_node.node import Node
    from replay_node.session import Json
    from replay_node.streams import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRange:
    """Smallest, default and largest page of a method."""

    smallest: int
    default: int
    largest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One command with its parameters; `subscription` is the WebSocket's own, None over JSON-RPC."""

    node: Node
    command: str
    params: Json
    api_version: int
    subscription: Subscription | None = None

    def text(self, field: str) -> str:
        """Return a required string.

        Raises:
            RpcError: `invalidParams` where it is missing or no string.

        """
        if field not in self.params:
            raise missing(field)
        value = self.params[field]
        if not isinstance(value, str):
            raise invalid(field)
        return value

    def flag(self, field: str) -> bool:
        """Return an optional boolean, false by default; anything counts as true or false."""
        return bool(self.params.get(field, False))

    def strict_flag(self, field: str) -> bool:
        """Return an optional boolean; from api_version 2 on it must be one.

        Raises:
            RpcError: `invalidParams` where it is none.

        """
        if self.api_version > 1 and not isinstance(self.params.get(field, False), bool):
            raise invalid(field)
        return self.flag(field)

    def limit(self, pages: LimitRange) -> int:
        """Return the page's size, brought into the method's range.

        Raises:
            RpcError: `invalidParams` where `limit` is no unsigned integer.

        """
        wanted = self.params.get("limit", pages.default)
        if not is_unsigned(wanted):
            raise expected("limit", "unsigned integer")
        return max(pages.smallest, min(pages.largest, wanted))


def is_unsigned(value: object) -> TypeGuard[int]:
    """Say whether a JSON value is an integer of zero or more (true and false are none)."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def check_address(address: str, context: Json | None = None) -> None:
    """Raise `actMalformed` where the text is no classic address; `context` goes into the answer."""
    if not is_address(address):
        raise RpcError("actMalformed", context=context)
