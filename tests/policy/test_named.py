"""Is a value covered, and may a person be asked?"""

import json
from dataclasses import replace

import pytest

from bartizan.core.messages import Message, Role, Text, ToolCall, ToolResult, ToolSpec, Trust
from bartizan.policy.context import context_of
from bartizan.policy.decide import decide
from bartizan.policy.endorsements import Endorsement, digest
from bartizan.policy.manifest import Effect, Manifest

TOOLS = tuple(
    ToolSpec(name) for name in ("read_file", "send_email", "delete_event", "pay", "create_event", "update_password")
)
MANIFEST = Manifest.parse(
    json.dumps(
        {
            "tools": {
                "pay": {"effect": "pay", "arguments": {"to": "target", "amount": "amount"}, "most": 500},
                "send_email": {"effect": "send", "arguments": {"to": "target"}, "targets": ["desk@corp.com"]},
                "create_event": {"effect": "write", "arguments": {"title": "label"}},
            }
        }
    )
)


def said(asked, tool, read="from bob@x.com and UK12345678901234567890", system="", endorsed=(), **arguments):
    """Verdict and reason after bill.txt was read."""
    messages = [
        Message.of(Role.SYSTEM, system),
        Message.of(Role.USER, asked),
        Message(Role.ASSISTANT, (ToolCall("c0", "read_file", '{"path": "bill.txt"}'),)),
        Message(Role.TOOL, (ToolResult("c0", Text(read, Trust.TOOL, "m2")),)),
    ]
    context = replace(context_of(messages, TOOLS, MANIFEST), endorsed=tuple(endorsed))
    decision = decide(ToolCall("c", tool, json.dumps(arguments)), context)
    return decision.verdict, decision.reason


def test_a_number_in_the_request_names_something_only_beside_a_word_for_it():
    """`Book 5 hours` does not name event 5."""
    assert said("Book 5 hours and delete the event", "delete_event", event_id="5")[0] == "block"
    assert said("Delete event 5", "delete_event", event_id="5")[0] == "allow"
    assert said("Delete the event with id 5", "delete_event", event_id="5")[0] == "allow"


def test_what_the_operator_names_is_no_address_to_write_to_unless_the_user_says_me():
    """A system prompt that knows the user's address does not send mails there."""
    system = "The user's address is emma@corp.com"
    assert said("Send a mail about it", "send_email", system=system, to="emma@corp.com")[0] == "block"
    assert said("Send me a mail about it", "send_email", system=system, to="emma@corp.com")[0] == "allow"
    assert said("Send a mail about it", "send_email", to="desk@corp.com")[0] == "allow"


def test_a_person_is_asked_only_where_the_request_leaves_the_target_open():
    """Who named one address has said which."""
    assert said("Pay bill.txt", "pay", to="UK12345678901234567890", amount=1)[0] == "block"  # the amount is nobody's
    bill = "UK12345678901234567890, total 98.70"
    assert said("Pay bill.txt", "pay", read=bill, to="UK12345678901234567890", amount=98.7)[0] == "ask"
    assert said("Mail the sum of bill.txt to the client", "send_email", to="bob@x.com")[0] == "ask"
    assert said("Mail the sum of bill.txt to ann@x.com", "send_email", to="bob@x.com")[0] == "block"
    assert said("Mail the sum to the client", "send_email", to="bob@x.com")[0] == "block"


def test_a_cap_is_a_cap():
    """Whatever the request says."""
    asked = "Pay 900 to DE89370400440532013000"
    assert said(asked, "pay", to="DE89370400440532013000", amount=900) == ("ask", "amount-above-cap")


@pytest.mark.parametrize(("title", "verdict"), [("Trip to Bern", "allow"), ("Visit Riverside Hotel", "ask")])
def test_a_label_is_made_of_the_requests_words(title, verdict):
    """Anything else a person may allow."""
    assert said("Create an event for the trip to Bern", "create_event", title=title)[0] == verdict


def test_a_yes_covers_a_value_or_a_document_for_one_effect():
    """Asked once."""
    asked = "Mail the sum of bill.txt to the client"
    value = Endorsement(Effect.SEND, "bob@x.com")
    assert said(asked, "send_email", endorsed=[value], to="bob@x.com")[0] == "allow"
    document = Endorsement(Effect.SEND, document=digest("from bob@x.com and UK12345678901234567890"))
    assert said(asked, "send_email", endorsed=[document], to="bob@x.com")[0] == "allow"
    assert said(asked, "send_email", endorsed=[replace(document, effect=Effect.PAY)], to="bob@x.com")[0] == "ask"
    assert said(asked, "send_email", endorsed=[value, document], to="eve@x.com")[0] == "block"


@pytest.mark.parametrize("password", ["", True, False, "other"])
def test_a_credential_is_the_users_own_words_whatever_its_type(password):
    """An empty one, or `true`, is a credential too."""
    asked = "Change my password to hunter-7"
    assert said(asked, "update_password", password="hunter-7")[0] == "allow"
    assert said(asked, "update_password", password=password) == ("block", "secret-not-in-request")
