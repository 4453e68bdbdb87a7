"""The AsyncAPI 3 document of a service, generated from its running FastStream application.

FastStream 0.7.8 knows only pydantic's schemas (its issue #2101) and leaves out channel parameters (#3036), so
both are added here, beside the golden samples as examples and the events that a plain NATS client reads.
"""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import TYPE_CHECKING

from faststream.specification import AsyncAPI
from faststream.specification.asyncapi.utils import ref
from faststream.specification.asyncapi.v3_0_0.schema import (
    ApplicationSchema,
    Channel,
    Message,
    Operation,
    Reference,
)
from faststream.specification.asyncapi.v3_0_0.schema.operations import Action

from order_events.codec import PROOFS_TYPES
from order_events.schemas import definitions, event_type, samples
from order_events.subjects import REDELIVERY_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

    Kinds = Sequence[type[msgspec.Struct]]

PARAMETERS = {
    "account": "The account that the event is about, a classic address.",
    "ledger_index": "The ledger that is proven.",
}
"""What may stand in braces in a subject."""


class Contract(AsyncAPI):
    """What a service sends and receives."""

    def __init__(
        self, *, title: str, version: str, description: str, events: Kinds, received: Kinds = ()
    ) -> None:
        """Describe a service.

        Args:
            title: the service's name.
            version: the service's version.
            description: what the service does, in a sentence or two.
            events: the events that its publishers have as titles, and that its subscribers take.
            received: the events that it reads with a plain NATS client, each on the account's subject of its
                type.

        """
        super().__init__(title=title, version=version, description=description)
        self._events = events
        self._received = received

    def to_specification(self) -> ApplicationSchema:
        """Return the document; the same application always gives the same one."""
        document = super().to_specification()
        if not isinstance(document, ApplicationSchema) or document.components is None:
            raise TypeError(f"expected an AsyncAPI 3 document, found {type(document).__name__}")
        # FastStream names no event of a subscriber that takes bytes: its messages are replaced
        kinds = [*self._events, *self._received]
        messages = {
            name: message
            for name, message in (document.components.messages or {}).items()
            if not name.endswith(":SubscribeMessage")
        } | {_message_name(kind): _message(kind) for kind in kinds}
        schemas = {
            name: schema
            for name, schema in (document.components.schemas or {}).items()
            if name != "EmptyPayload"
        } | definitions(kinds, prefix="#/components/schemas/")
        for name, operation in document.operations.items():
            if operation.action is Action.RECEIVE:
                channel = document.channels[name.removesuffix("Subscribe")]
                _name_messages(document, operation, name.removesuffix("Subscribe"), self._taken_from(channel))
        for kind in self._received:
            _add_received(document, kind)
        for channel in document.channels.values():
            _add_parameters(channel)
        # FastStream keeps publishers in a set, whose order changes from run to run
        document.channels = dict(sorted(document.channels.items()))
        document.operations = dict(sorted(document.operations.items()))
        document.components.messages = dict(sorted(messages.items()))
        document.components.schemas = dict(sorted(schemas.items()))
        return document

    def _taken_from(self, channel: Channel) -> Kinds:
        """Return the events that a subscription with a wildcard gets."""
        beginning = (channel.address or "").removeprefix(REDELIVERY_PREFIX).removesuffix(">")
        # what is delivered again is of stream ORDERS
        kinds = self._events if beginning else [kind for kind in self._events if kind not in PROOFS_TYPES]
        return [kind for kind in kinds if event_type(kind).startswith(beginning)]


def _add_received(document: ApplicationSchema, kind: type[msgspec.Struct]) -> None:
    name = kind.__name__
    document.channels[name] = Channel(
        address=f"{event_type(kind)}.{{account}}",
        description=cleandoc(kind.__doc__ or ""),
        servers=[ref("servers", server) for server in document.servers or {}],
        messages={},
    )
    document.operations[name] = Operation(
        action=Action.RECEIVE, channel=Reference(**ref("channels", name)), messages=[]
    )
    _name_messages(document, document.operations[name], name, [kind])


def _name_messages(document: ApplicationSchema, operation: Operation, channel: str, kinds: Kinds) -> None:
    document.channels[channel].messages = {
        kind.__name__: Reference(**ref("components", "messages", _message_name(kind))) for kind in kinds
    }
    operation.messages = [Reference(**ref("channels", channel, "messages", kind.__name__)) for kind in kinds]


def _message(kind: type[msgspec.Struct]) -> Message:
    message = Message(
        name=event_type(kind),
        title=kind.__name__,
        description=cleandoc(kind.__doc__ or ""),
        contentType="application/json",
        payload=ref("components", "schemas", kind.__name__),
    )
    examples = [{"name": name, "payload": sample} for name, sample in samples(kind).items()]
    setattr(message, "examples", examples)  # noqa: B010 - a field that FastStream's model lacks
    return message


def _message_name(kind: type[msgspec.Struct]) -> str:
    """Return the message's key, as FastStream has it for a publisher with a title."""
    return f"{kind.__name__}:Message"


def _add_parameters(channel: Channel) -> None:
    if names := re.findall(r"{(\w+)}", channel.address or ""):
        parameters = {name: {"description": PARAMETERS[name]} for name in names}
        setattr(channel, "parameters", parameters)  # noqa: B010 - a field that FastStream's model lacks
