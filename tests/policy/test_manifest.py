"""What the operator writes about tools."""

import json

import pytest

from bartizan.core.errors import BadSettings
from bartizan.core.messages import ToolSpec
from bartizan.policy.manifest import Effect, Manifest, Role, properties, singular, words_of


def spec(name, **parts):
    """A tool with a schema."""
    return ToolSpec(name, "", json.dumps({"type": "object", "properties": parts}))


def test_the_operator_describes_a_tool_and_mistakes_are_named():
    """What is not described is inferred."""
    manifest = Manifest.parse('{"tools": {"note": {"effect": "send", "arguments": {"body": "target"}}}}')
    tool = manifest.tool(spec("note", body={}, to={}))
    assert (tool.effect, tool.arguments) == (Effect.SEND, {"body": Role.TARGET, "to": Role.TARGET})
    for raw in ('{"tools": {"x": {"effect": "fly"}}}', "[]", '{"tool": {}}'):
        with pytest.raises(BadSettings, match="manifest"):
            Manifest.parse(raw)


def test_identifiers_and_schemas_are_read():
    """Words, their singular, and the arguments of a schema that may be anything."""
    assert words_of("sendMoney_to2") == ("send", "money", "to2")
    assert [singular(word) for word in ("files", "entries", "address", "as")] == ["file", "entry", "address", "as"]
    assert properties('{"properties": {"a": 5}}') == {"a": {}}
    assert properties("[") == properties("[1]") == properties('{"properties": 3}') == {}
