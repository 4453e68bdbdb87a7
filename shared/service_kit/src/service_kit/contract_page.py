"""A service's contract as one page of HTML: it needs no script and no other host, so it opens everywhere."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em; }
pre { background: #f4f4f4; padding: 1em; overflow: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.3em 0.8em 0.3em 0; border-bottom: 1px solid #ddd; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd; } pre { background: #222; } }
"""


def page_of(document: dict[str, Any]) -> str:
    """Return the page of an AsyncAPI 3 document: each operation with its subject, fields and examples."""
    return "".join(_page(document))


def _page(document: dict[str, Any]) -> Iterator[str]:
    info = document["info"]
    title = f"{info['title']} {info['version']}"
    yield f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title>"
    yield f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{_text(info.get('description'))}"
    yield "<p>The same as an AsyncAPI 3 document: <a href='/asyncapi.json'>asyncapi.json</a></p>"
    for action, heading in (("send", "What it publishes"), ("receive", "What it reads")):
        yield f"<h2>{heading}</h2>"
        for name, operation in document["operations"].items():
            if operation["action"] == action:
                yield from _channel(document, name, operation["channel"])
    yield "<h2>Types</h2>"
    events = {message["payload"].get("$ref") for message in document["components"]["messages"].values()}
    for name, schema in document["components"]["schemas"].items():
        if f"#/components/schemas/{name}" not in events:
            yield f"<h3 id='{escape(name)}'>{escape(name)}</h3>{_text(schema.get('description'))}"
            yield _fields(schema)


def _channel(document: dict[str, Any], name: str, reference: dict[str, str]) -> Iterator[str]:
    channel = _resolve(document, reference)
    yield f"<h3 id='{escape(name)}'>{escape(name)} <code>{escape(channel['address'])}</code></h3>"
    yield _text(channel.get("description"))
    for parameter, about in channel.get("parameters", {}).items():
        yield f"<p><code>{{{escape(parameter)}}}</code>: {escape(about['description'])}</p>"
    for reference_to_message in channel["messages"].values():
        message = _resolve(document, reference_to_message)
        payload = _resolve(document, message["payload"])
        yield _fields(payload)
        for example in message.get("examples", []):
            text = json.dumps(example["payload"], indent=2)
            yield f"<details><summary>{escape(example['name'])}</summary><pre>{escape(text)}</pre></details>"


def _fields(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return f"<p>{', '.join(f'<code>{escape(str(word))}</code>' for word in schema['enum'])}</p>"
    if "properties" not in schema:
        return f"<p>{_type(schema)}</p>"
    required = schema.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code>{'' if name in required else ' (optional)'}</td>"
        f"<td>{_type(field)}</td><td>{escape(field.get('description', ''))}</td></tr>"
        for name, field in schema["properties"].items()
    )
    return f"<table><tr><th>Field</th><th>Type</th><th>Meaning</th></tr>{rows}</table>"


def _type(schema: dict[str, Any]) -> str:
    """Return a field's type in a word or two, linked where it has a place on the page."""
    if choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return " or ".join(_type(choice) for choice in choices)
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(word))}</code>" for word in schema["enum"])
    if schema.get("type") == "array" and isinstance(schema.get("items"), dict):
        return f"list of {_type(schema['items'])}"
    return escape(schema.get("format") or schema.get("type", "anything"))


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[unquote(part)]
        schema = found
    return schema


def _text(description: str | None) -> str:
    return "".join(f"<p>{escape(part)}</p>" for part in (description or "").split("\n\n") if part)
