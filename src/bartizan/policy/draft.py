"""A manifest to begin with: what is inferred of each tool, written out for the operator to correct.

It says no more than the policy takes a tool for anyway, except that a tool that is written down counts as described.
Fields of a result are listed where the tool itself says what it returns (MCP's `outputSchema`); otherwise `by_name`
says that they are taken by their names.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from bartizan.core.errors import BadRequest
from bartizan.policy.inference import infer, kind_of
from bartizan.policy.lines import tool_spec
from bartizan.policy.manifest import Manifest, Result, Tool, properties


def draft(tools: Iterable[object]) -> Manifest:
    """Return a manifest of tools in OpenAI's, Anthropic's or MCP's form. Raises BadRequest for what is none."""
    found: dict[str, Tool] = {}
    for raw in tools:
        spec = tool_spec(raw)
        about = raw if isinstance(raw, Mapping) else {}
        hints = about.get("annotations")
        tool = infer(spec, hints if isinstance(hints, Mapping) else None)
        found[spec.name] = msgspec.structs.replace(tool, result=_result(tool.result, about.get("outputSchema")))
    return Manifest(found)


def tools_in(text: str) -> list[object]:
    """Return the tools that a text holds, each name once: a list, an object with `tools`, or lines of such objects.

    Of the file in which `bartizan mcp` pins tools, the approved ones, as SERVER__TOOL. Raises BadRequest for no tools.
    """
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = [_read(line, number) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    found: dict[str, object] = {}
    for document in documents:
        for tool in _listed(document):
            found.setdefault(tool_spec(tool).name, tool)
    if not found:
        raise BadRequest("no tools: expected a list of them, or objects with `tools`")
    return list(found.values())


def text_of(manifest: Manifest) -> str:
    """Return a manifest as JSON that a person can edit: what is as it would be anyway is left out."""
    tools = [f"  {json.dumps(name)}: {json.dumps(_plain(tool))}" for name, tool in manifest.tools.items()]
    return '{"tools": {\n' + ",\n".join(tools) + "\n}}"


def _plain(part: msgspec.Struct) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for field in msgspec.structs.fields(part):
        value = getattr(part, field.name)
        if field.required or value != (field.default_factory() if callable(field.default_factory) else field.default):
            shown[field.name] = _plain(value) if isinstance(value, msgspec.Struct) else msgspec.to_builtins(value)
    return shown


def _result(inferred: Result | None, schema: object) -> Result | None:
    if inferred is None or not isinstance(schema, Mapping):
        return inferred
    named = properties(json.dumps(schema))
    return msgspec.structs.replace(inferred, fields={name: kind_of(name) for name in named}) if named else inferred


def _listed(document: object) -> list[Any]:
    if isinstance(document, dict) and isinstance(document.get("servers"), dict):
        return list(_pinned(document["servers"]))
    listed = document.get("tools", ()) if isinstance(document, dict) else document
    if not isinstance(listed, list | tuple):
        raise BadRequest(f"tools: {str(listed)[:80]}: expected a list")
    return list(listed)


def _pinned(servers: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for server, pins in servers.items():
        for name, pin in pins.items():
            if not name.startswith("#") and pin.get("approved"):
                yield {**pin["approved"]["content"], "name": f"{server}__{name}"}


def _read(line: str, number: int) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"line {number}: not JSON: {error}") from error
