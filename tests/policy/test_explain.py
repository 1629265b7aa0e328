"""An explanation says the decision itself, and what it rests on."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.test_decide import EVIL, TOOLS, context

from bartizan.core.messages import Message, Role, Text, ToolCall, ToolResult, ToolSpec, Trust
from bartizan.policy.cedar import Rules
from bartizan.policy.context import Context, context_of
from bartizan.policy.decide import decide
from bartizan.policy.explain import explain, lines
from bartizan.policy.manifest import Manifest

READ = (
    Message(Role.ASSISTANT, (ToolCall("c0", "read_file", "{}"),)),
    Message(Role.TOOL, (ToolResult("c0", Text("text of a stranger", Trust.TOOL, "messages[3]")),)),
)


def told(asked, tool, **arguments):
    """An explanation after bill.txt was read."""
    return explain(ToolCall("c1", tool, json.dumps(arguments)), context(asked))


def test_each_argument_says_what_covers_it_or_where_it_stands_instead():
    """An account out of the bill, an amount that the user wrote, a note that carries no authority."""
    one = told("Pay 98.70 as bill.txt says", "send_money", recipient=EVIL, amount=98.7, subject="bill")
    found = {argument.path: argument for argument in one.arguments}
    assert (found["recipient"].covered, found["amount"].covered, found["subject"].covered) == (False, True, True)
    assert "read_file(bill.txt) messages[2], line 3" in found["recipient"].why
    assert (one.effect, one.licence, one.described) == ("pay", "user", False)
    assert one.read == ("read_file(bill.txt) messages[2]",)


def test_what_is_not_licensed_says_what_is():
    """Nobody asks to send; the request asks to pay."""
    said = "\n".join(lines(told("Pay bill.txt", "send_email", to="x@y.com", body="hi")))
    assert said.startswith("block: send_email (effect-not-licensed)")
    assert "nobody asks for it (the request asks for: pay)" in said
    assert "- to = x@y.com (target): target-not-anchored: stands nowhere" in said
    assert "it would have to say: what it acts on (email, mail, inbox)" in said
    one = explain(ToolCall("c", "unlock_door", "{}"), context_of((Message.of(Role.USER, "Lock it"), *READ), ()))
    assert one.wanted == "a word for it (unlock), and what it acts on (door)"


def test_the_operators_rule_is_named():
    """The one that forbids, and that the manifest describes the tool."""
    manifest = Manifest.parse('{"tools": {"pay": {"effect": "pay", "arguments": {"to": "target"}, "targets": ["a"]}}}')
    rules = Rules('permit(principal, action, resource); forbid(principal, action, resource == Tool::"pay");')
    asked = Context({"pay": ToolSpec("pay")}, manifest, rules=rules)
    one = explain(ToolCall("c", "pay", '{"to": "a"}'), asked)
    assert one.decision.reason == "not-permitted"
    assert one.rule == "forbidden by rule 2 (line 1)"
    assert any("as the manifest says" in line for line in lines(one))
    assert any("operator's rules: forbidden by rule 2 (line 1)" in line for line in lines(one))


def test_a_call_that_only_reads_needs_no_licence():
    """And a credential is never shown."""
    assert told("look", "read_file", path="x").licence == "not needed"
    one = told("Change my password", "update_password", password="hunter2")
    assert "hunter2" not in "\n".join(lines(one))


def test_what_the_system_names_and_what_is_permitted_always_is_said():
    """The manifest's targets first."""
    manifest = Manifest.parse('{"tools": {"share": {"effect": "share", "targets": ["hq"]}}}')
    messages = [Message.of(Role.SYSTEM, "The archive is folder-7."), Message.of(Role.USER, "share it with me")]
    grown = context_of([*messages, *READ], (), manifest)
    one = explain(ToolCall("c", "share", '{"to": "hq", "folder": "folder-7"}'), grown)
    assert {argument.path: argument.why for argument in one.arguments} == {
        "to": "the manifest permits it always",
        "folder": "the system's text names it",
    }


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from([tool.name for tool in TOOLS]))
def test_whatever_the_model_wrote_is_explained_as_it_is_decided(arguments, tool):
    """Total, and never another decision."""
    call = ToolCall("c", tool, arguments)
    one = explain(call, context("Pay bill.txt"))
    assert one.decision == decide(call, context("Pay bill.txt"))
    assert list(lines(one))
