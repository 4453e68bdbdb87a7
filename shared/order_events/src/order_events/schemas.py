"""JSON Schemas of the events, with units in the fields' descriptions and the golden samples as examples."""

from collections.abc import Sequence
from importlib.resources import files
from inspect import cleandoc
from typing import Any

import msgspec

from order_events.codec import EARLIER_TYPES, EVENT_TYPES, VERSIONS
from order_events.permission import PERMISSION_BUCKET, TradingPermission

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def event_type(kind: type[msgspec.Struct]) -> str:
    """Return what events of this class have in `event_type`, as `order.filled`."""
    return str(kind.__struct_config__.tag)


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of every event type by its `event_type`; earlier ones end with `.v<version>`."""
    current = {event_type(kind): _schema(kind) for kind in EVENT_TYPES}
    earlier = {f"{event_type(kind)}.v{VERSIONS[kind]}": _schema(kind) for kind in EARLIER_TYPES}
    return current | earlier


def value_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of the values in each bucket that engines read, by the bucket's name."""
    return {
        PERMISSION_BUCKET: {
            "$schema": DIALECT,
            "$id": f"urn:fillproof:{PERMISSION_BUCKET}:1",
            "$ref": f"#/$defs/{TradingPermission.__name__}",
            "$defs": definitions([TradingPermission], prefix="#/$defs/"),
        }
    }


def samples(kind: type[msgspec.Struct]) -> dict[str, dict[str, Any]]:
    """Return the golden samples of an event type in its version, by name (`order.filled.presumed`)."""
    folder = files("order_events") / "samples" / f"v{VERSIONS[kind]}"
    found = {
        path.name.removesuffix(".json"): msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        for path in folder.iterdir()
    }
    tag = event_type(kind)
    return {name: sample for name, sample in sorted(found.items()) if sample["event_type"] == tag}


def definitions(kinds: Sequence[type[msgspec.Struct]], *, prefix: str) -> dict[str, dict[str, Any]]:
    """Return the schemas of these types and of all that they are made of, by class name.

    `prefix`: what a reference to one of them begins with, as `#/$defs/`.
    """
    _, found = msgspec.json.schema_components(kinds, ref_template=f"{prefix}{{name}}")
    for schema in found.values():
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])
    # to JSON and back, so that defaults are what JSON has for them
    return msgspec.json.decode(msgspec.json.encode(found), type=dict[str, dict[str, Any]])


def _schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "$schema": DIALECT,
        "$id": f"urn:fillproof:{event_type(kind)}:{VERSIONS[kind]}",
        "$ref": f"#/$defs/{kind.__name__}",
        "$defs": definitions([kind], prefix="#/$defs/"),
        "examples": list(samples(kind).values()),
    }
