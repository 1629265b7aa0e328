"""What the name of a tool says, in every style of naming."""

import pytest

from bartizan.policy.manifest import Effect
from bartizan.policy.verbs import named, objects_of


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("calendar_list_events", Effect.READ),
        ("crm.contacts.search", Effect.READ),
        ("github__get_issue", Effect.READ),
        ("listStandingOrders", Effect.READ),
        ("mailSend", Effect.SEND),
        ("gmail_create_draft", Effect.WRITE),
        ("mark_email_as_read", Effect.WRITE),
        ("get_or_create_user", Effect.WRITE),
        ("search_and_delete", Effect.DELETE),
        ("list_add_item", Effect.WRITE),
        ("find_replace", Effect.WRITE),
        ("check_in", Effect.WRITE),
        ("check_balance", Effect.READ),
        ("issue_refund", Effect.PAY),
        ("createPayment", Effect.PAY),
        ("cancelStandingOrder", Effect.DELETE),
        ("get_payment_history", Effect.READ),
        ("order_groceries", Effect.PAY),
        ("update_order_status", Effect.WRITE),
        ("add_collaborator", Effect.SHARE),
        ("s3_put_object", Effect.WRITE),
        ("lambda_invoke", Effect.EXECUTE),
        ("bash", Effect.EXECUTE),
        ("http_request", Effect.FETCH),
        ("list_leave_requests", Effect.READ),
        ("unlock_door", Effect.WRITE),
        ("frobnicate_widget", Effect.WRITE),
        ("", Effect.WRITE),
    ],
)
def test_the_verb_is_found_wherever_it_stands(name, effect):
    """Prefixes, suffixes, camel case; a noun that could be a verb is one only where there is no better."""
    assert named(name).effect is effect


def test_a_tool_of_a_telling_verb_is_asked_for_by_that_verb_alone():
    """Lock is not unlock; `turn off` may have the lamp between its words."""
    assert named("unlock_door").acts == ("unlock",)
    assert named("turn_off_light").acts == ("turn * off", "switch * off")
    assert named("frobnicate_widget").acts == ("frobnicate",)
    assert "create" in named("add_note").acts
    assert "mark" not in named("add_note").acts
    assert named("update_note").acts == named("send_email").acts == ()


def test_a_tool_acts_on_what_its_name_says():
    """Its nouns with their synonyms, without the server's name; what is sensitive must be said itself."""
    assert "meeting" in named("create_calendar_event").things
    assert named("adjust_inventory").things == ("inventory",)
    assert "github" not in named("github__create_pull_request").things
    assert named("make_repo_public").sensitive
    assert named("make_repo_public").things == ("public", "visibility", "publicly")
    assert "mail" in objects_of(("send", "email"))
    assert objects_of(("frobnicate",)) == ()
