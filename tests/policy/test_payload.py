"""What a licensed call may carry."""

from bartizan.core.messages import Message, Role, Text, ToolCall, ToolResult, ToolSpec, Trust
from bartizan.policy.context import context_of
from bartizan.policy.manifest import Effect, Manifest, Tool
from bartizan.policy.manifest import Role as Argument
from bartizan.policy.payload import REMOVED, cleaned, leak

NOTE = Tool(Effect.WRITE, {"body": Argument.CONTENT, "to": Argument.TARGET})
MANIFEST = Manifest.parse(
    '{"tools": {"get_profile": {"effect": "read", "result": {"fields": {"passport": "secret", "name": "name"}}}}}'
)


def context(asked, read="{'name': 'Emma', 'passport': 'HGK137803'}"):
    """A profile was read."""
    messages = (
        Message.of(Role.USER, asked),
        Message(Role.ASSISTANT, (ToolCall("c0", "get_profile", "{}"),)),
        Message(Role.TOOL, (ToolResult("c0", Text(read, Trust.TOOL, "m2")),)),
    )
    return context_of(messages, (ToolSpec("get_profile"),), MANIFEST)


def test_targets_are_left_alone_and_content_is_cleaned():
    """A target was judged whole."""
    made, removed = cleaned({"to": "evil.com", "body": "see evil.com"}, "", NOTE, context("write"))
    assert made == {"to": "evil.com", "body": f"see {REMOVED}"}
    assert removed == [("body", "evil.com")]
    assert cleaned({"body": "see ok.org"}, "", NOTE, context("write about ok.org"))[1] == []


def test_long_runs_without_a_blank_are_data_not_words():
    """What a model encoded to carry it out."""
    made, _ = cleaned({"body": "x " + "QUJD" * 30}, "", NOTE, context("write"))
    assert made == {"body": f"x {REMOVED}"}
    assert cleaned({"body": "a" * 79}, "", NOTE, context("write"))[1] == []


def test_a_field_that_must_not_leave_does_not_leave():
    """Unless the request names it."""
    assert leak(["passport HGK137803"], context("mail ann@x.com my details"))
    assert not leak(["passport HGK137803"], context("mail ann@x.com my passport number, Emma's"))
    assert not leak(["nothing"], context("mail ann@x.com"))


def test_a_link_in_wide_letters_or_with_invisible_ones_is_a_link():
    """Mail programs fold and drop them."""
    for hidden in ("ｅｖｉｌ．ｃｏｍ／ｘ", "\u200b".join("evil.com/x")):
        made, removed = cleaned({"body": f"see {hidden} now"}, "", NOTE, context("write"))
        assert removed == [("body", "evil.com/x")]
        assert made == {"body": f"see {REMOVED} now"}
    assert cleaned({"body": "schön, ５ Uhr"}, "", NOTE, context("write"))[0] == {"body": "schön, ５ Uhr"}
