"""One XRP Ledger server, and what can be wrong with an answer: few errors, by who is at fault."""

from typing import Protocol

import msgspec


class ServerError(Exception):
    """A server did not give a usable answer. The subclasses say who is at fault.

    `server`: its name; `problem`: what was expected and what was found, without the name.
    """

    kind = "error"
    """For metrics and logs."""

    def __init__(self, server: str, problem: str) -> None:
        super().__init__(f"{server}: {problem}")
        self.server = server
        self.problem = problem


class InvalidRequest(ServerError):
    """Our fault: the server does not understand the request."""

    kind = "invalid_request"


class Refused(ServerError):
    """An authoritative answer: what was asked for is not there; `code` says what (`lgrNotFound`...)."""

    kind = "refused"

    def __init__(self, server: str, code: str, problem: str) -> None:
        super().__init__(server, problem)
        self.code = code


class Overloaded(ServerError):
    """We ask too much of it: ask again later, and less."""

    kind = "overloaded"


class Unreachable(ServerError):
    """No connection, no answer in time, or a server that has lost the network itself."""

    kind = "unreachable"


class TooSlow(Unreachable):
    """Each request may be answered, but the reading that is made of them does not come to an end."""

    kind = "too_slow"


class ProtocolViolation(ServerError):
    """The server's fault: an answer that contradicts the protocol, the question or itself."""

    kind = "protocol_violation"


class NotProven(ProtocolViolation):
    """The bytes that the server shows of a ledger are not those that the ledger's hash covers."""

    kind = "not_proven"


class Contradicted(ProtocolViolation):
    """The server's stream has told what its own ledger does not hold."""

    kind = "contradicted"


class WrongChain(ProtocolViolation):
    """The server is on another chain than the ledgers that were followed so far."""

    kind = "wrong_chain"


class Lagging(ServerError):
    """The server has not got the ledgers yet that others have."""

    kind = "lagging"


class LedgerServer(Protocol):
    """A connection to one server; api_version 2."""

    @property
    def name(self) -> str:
        """The server's address, without credentials."""
        ...

    async def request(self, method: str, /, **params: object) -> msgspec.Raw:
        """Ask, and return the answer's `result` as the server wrote it, in JSON.

        The typed questions of this package decode it, once, into what they ask for.

        Raises:
            ServerError: one of its kinds, by who is at fault.

        """
        ...

    async def close(self) -> None:
        """Close the connection; it is safe to do so twice."""
        ...
