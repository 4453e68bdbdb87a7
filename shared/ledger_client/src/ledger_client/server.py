"""One XRP Ledger server, and what can be wrong with an answer: few errors, by who is at fault."""

from typing import Protocol

import msgspec

_LONGEST_PROBLEM = 500
"""Characters: it may quote a whole answer."""


def _shown(text: str) -> str:
    """Return a text that may hold a server's own words as logs and terminals can take it."""
    if len(text) > _LONGEST_PROBLEM:
        text = f"{text[:_LONGEST_PROBLEM]}..."
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


class ServerError(Exception):
    """A server did not give a usable answer. The subclasses say who is at fault.

    `server`: its name; `problem`: what was expected and what was found, without the name.
    """

    kind = "error"
    """For metrics and logs."""

    def __init__(self, server: str, problem: str) -> None:
        problem = _shown(problem)
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
    """We ask too much of it: ask again later, and less.

    `seconds_away`: for how long the server asks us to stay away; None: it does not say.
    """

    kind = "overloaded"

    def __init__(self, server: str, problem: str, *, seconds_away: float | None = None) -> None:
        super().__init__(server, problem)
        self.seconds_away = seconds_away


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


class Endless(ProtocolViolation):
    """Pages or bytes of one answer that lead to no end."""

    kind = "endless"


class Disputed(ServerError):
    """Two servers that agreed so far name different hashes for a ledger: nobody can say which one lies."""

    kind = "disputed"


class Unconfirmed(ServerError):
    """Nobody has confirmed the ledger that the server showed, and it must be confirmed."""

    kind = "unconfirmed"


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
