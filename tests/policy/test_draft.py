"""A drafted manifest says what is inferred anyway, in a form that an operator edits."""

import json

import pytest
from bench.toolsets import development
from bench.toolsets.play import assistant, result, specs

from bartizan.core.errors import BadRequest
from bartizan.policy.draft import draft, text_of, tools_in
from bartizan.policy.lines import decide_calls
from bartizan.policy.manifest import Effect, Kind, Manifest, Role

OPENAI = {"type": "function", "function": {"name": "send_mail", "parameters": {"properties": {"to": {}}}}}
ANTHROPIC = {"name": "delete_repo", "input_schema": {"properties": {"repo": {}}}}
MCP = {
    "name": "list_orders",
    "inputSchema": {"properties": {"customer": {}}},
    "outputSchema": {"properties": {"id": {}, "note": {}}},
    "annotations": {"destructiveHint": True},
}


def test_tools_of_each_form_are_described():
    """Effect, roles and fields; a hint makes it stricter; only what differs from nothing is written."""
    found = draft([OPENAI, ANTHROPIC, MCP]).tools
    assert [one.effect for one in found.values()] == [Effect.SEND, Effect.DELETE, Effect.DELETE]
    assert found["send_mail"].arguments == {"to": Role.TARGET}
    assert found["delete_repo"].arguments == {"repo": Role.TARGET}
    assert found["list_orders"].result.fields == {"id": Kind.ID, "note": Kind.CONTENT}
    text = text_of(draft([OPENAI, ANTHROPIC, MCP]))
    assert Manifest.parse(text).tools == found
    assert "result_trusted" not in text


@pytest.mark.parametrize("suite", development.SUITES.values(), ids=list(development.SUITES))
def test_a_draft_decides_as_nothing_written_does(suite):
    """Written out unchanged it changes no decision, but of commands: described tools are not read by their words."""
    tools = specs(suite)
    written = draft(tools)
    for request, steps in suite["tasks"]:
        messages = [{"role": "user", "content": request}]
        for number, (tool, arguments, returned) in enumerate(steps):
            messages.append(assistant(number, tool, arguments))
            if written.tools[tool].effect is not Effect.EXECUTE:
                case = {"messages": messages, "tools": tools}
                assert decide_calls(case, written) == decide_calls(case)
            messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": result(returned, "")})


def test_tools_are_found_in_lists_objects_lines_and_pins():
    """Each name once; what waits for approval is none."""
    lines = "\n\n".join(json.dumps({"messages": [], "tools": [one]}) for one in (OPENAI, MCP, OPENAI))
    assert [draft([one]).tools.popitem()[0] for one in tools_in(lines)] == ["send_mail", "list_orders"]
    assert tools_in(json.dumps([OPENAI])) == tools_in(json.dumps({"tools": [OPENAI]})) == [OPENAI]
    pins = {"#launch": {"approved": {"content": {}}}, "a": {"approved": {"content": ANTHROPIC}}, "b": {"waiting": {}}}
    assert [one["name"] for one in tools_in(json.dumps({"servers": {"git": pins}}))] == ["git__a"]


@pytest.mark.parametrize("text", ["", "{}", "[]", "x", '{"tools": 3}', '[{"a": 1}]', '{"tools": []}\nx'])
def test_what_holds_no_tools_is_said(text):
    """With what was expected."""
    with pytest.raises(BadRequest, match=r"expected|not JSON|no tools"):
        tools_in(text)
