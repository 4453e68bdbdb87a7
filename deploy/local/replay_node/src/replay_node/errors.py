"""The node's errors: name, code and text as the real node gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replay_node.session import Json

_ERRORS = {
    "noPermission": (6, "You don't have permission for this command."),
    "slowDown": (10, "You are placing too much load on the server."),
    "wrongNetwork": (4, "Wrong network."),
    "actNotFound": (19, "Account not found."),
    "lgrNotFound": (21, "ledgerNotFound"),
    "lgrNotValidated": (22, "Ledger not validated."),
    "txnNotFound": (29, "Transaction not found."),
    "invalidParams": (31, "Invalid parameters."),
    "unknownCmd": (32, "Unknown method."),
    "actMalformed": (35, "Account malformed."),
    "badMarket": (42, "No such market."),
    "dstAmtMalformed": (51, "Destination amount/currency/issuer is malformed."),
    "dstIsrMalformed": (53, "Destination issuer is malformed."),
    "lgrIdxsInvalid": (57, "Ledger indexes invalid."),
    "lgrIdxMalformed": (58, "Ledger index malformed."),
    "srcCurMalformed": (69, "Source currency is malformed."),
    "srcIsrMalformed": (70, "Source issuer is malformed."),
    "malformedStream": (71, "Stream malformed."),
    "internal": (73, "Internal error."),
    "notImpl": (74, "Not implemented."),
    "notSupported": (75, "Operation not supported."),
    "excessiveLgrRange": (78, "Ledger range exceeds 1000."),
    "invalidLgrRange": (79, "Ledger range is invalid."),
    "issueMalformed": (93, "Issue is malformed."),
}
# The real node gives no code and no text with these.
_BARE = frozenset(
    {"entryNotFound", "malformedAddress", "malformedCurrency", "malformedRequest", "unknownOption"}
)


class RpcError(Exception):
    """A request that is answered with an error; `context` are the fields that stand beside it."""

    def __init__(self, name: str, message: str | None = None, *, context: Json | None = None) -> None:
        super().__init__(message or name)
        self.body: Json = {**(context or {}), "error": name}
        if name not in _BARE:
            code, text = _ERRORS[name]
            self.body |= {"error_code": code, "error_message": message or text}


def missing(field: str) -> RpcError:
    """Return the error for a required field that the request lacks."""
    return RpcError("invalidParams", f"Missing field '{field}'.")


def invalid(field: str) -> RpcError:
    """Return the error for a field whose value the node can't use."""
    return RpcError("invalidParams", f"Invalid field '{field}'.")


def expected(field: str, kind: str) -> RpcError:
    """Return the error for a field whose value has the wrong type."""
    return RpcError("invalidParams", f"Invalid field '{field}', not {kind}.")
