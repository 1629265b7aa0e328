"""What tools are taken for when nobody, or the operator, describes them."""

import json

import pytest

from bartizan.core.errors import BadSettings
from bartizan.core.messages import ToolSpec
from bartizan.policy.manifest import Effect, Manifest, Role, infer, role_of


def spec(name, **properties):
    """A tool with a schema."""
    return ToolSpec(name, "", json.dumps({"type": "object", "properties": properties}))


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("get_unread_emails", Effect.READ),
        ("send_email", Effect.SEND),
        ("sendMoney", Effect.PAY),
        ("schedule_transaction", Effect.PAY),
        ("delete_file", Effect.DELETE),
        ("run_shell", Effect.EXECUTE),
        ("get_webpage", Effect.FETCH),
        ("create_calendar_event", Effect.WRITE),
        ("frobnicate", Effect.WRITE),
    ],
)
def test_a_name_says_what_a_tool_does_and_an_unknown_one_changes_things(name, effect):
    """The careful guess."""
    assert infer(spec(name)).effect is effect


def test_annotations_make_a_tool_stricter_and_never_milder():
    """A server that says its deleting tool only reads is not believed."""
    assert infer(spec("get_x"), {"destructiveHint": True}).effect is Effect.DELETE
    assert infer(spec("get_x"), {"readOnlyHint": False}).effect is Effect.WRITE
    assert infer(spec("delete_x"), {"readOnlyHint": True}).effect is Effect.DELETE


def test_arguments_have_roles():
    """By name, by format, by what harm the tool can do; a reading tool with a link fetches."""
    tool = infer(spec("send_email", recipients={}, body={}, reply={"format": "email"}, newPassword={}, mood={}))
    roles = [Role.TARGET, Role.CONTENT, Role.TARGET, Role.SECRET, Role.CONTENT]
    assert list(tool.arguments.values()) == roles
    assert role_of(infer(spec("delete_file")), "surprise") is Role.TARGET
    assert infer(spec("get_text", url={})).effect is Effect.FETCH


def test_the_operator_describes_a_tool_and_mistakes_are_named():
    """What is not described is inferred."""
    manifest = Manifest.parse('{"tools": {"note": {"effect": "send", "arguments": {"body": "target"}}}}')
    tool = manifest.tool(spec("note", body={}, to={}))
    assert (tool.effect, tool.arguments) == (Effect.SEND, {"body": Role.TARGET, "to": Role.TARGET})
    for raw in ('{"tools": {"x": {"effect": "fly"}}}', "[]", '{"tool": {}}'):
        with pytest.raises(BadSettings, match="manifest"):
            Manifest.parse(raw)
