"""What a tool is taken for when nobody describes it."""

import json

import pytest

from bartizan.core.messages import ToolSpec
from bartizan.policy.inference import infer, kind_of, role_of
from bartizan.policy.manifest import Effect, Kind, Role


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
        ("share_file", Effect.SHARE),
        ("add_user_to_channel", Effect.WRITE),
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
    roles = [Role.TARGET, Role.CONTENT, Role.TARGET, Role.SECRET, Role.LABEL]
    assert list(tool.arguments.values()) == roles
    assert role_of(infer(spec("delete_file")), "surprise") is Role.TARGET
    assert infer(spec("get_text", url={})).effect is Effect.FETCH


def test_fields_of_records_are_taken_by_name_but_never_those_of_a_text():
    """A page that is written to look like a record selects nothing."""
    assert kind_of("file_id") is Kind.ID
    assert [kind_of(name) for name in ("title", "sender", "body", "Passport Number")] == [
        Kind.NAME,
        Kind.META,
        Kind.CONTENT,
        Kind.SECRET,
    ]
    assert infer(spec("search_files")).result is not None
    for name in ("get_webpage", "read_file", "get_document_text"):
        assert infer(spec(name)).result is None


def test_a_plain_list_of_people_or_things_is_a_list_of_names():
    """Which "each channel" or "everyone" means, where nobody described the tool; a list of texts is none."""
    listed = infer(spec("get_team_members")).result
    assert (listed.items, listed.by_name) == (Kind.META, True)
    assert {"member", "everyone"} <= set(listed.called[""])
    assert infer(spec("search_articles")).result.items is None
    assert infer(spec("delete_users")).result.items is None
