"""Calls: pinned, within the schema, within the operator's rules, and decided about; the first no is the answer."""

import pytest
from tests.mcp.standing import ready, server_at

from bartizan.core.errors import BadSettings
from bartizan.policy.cedar import Rules
from bartizan.policy.manifest import Manifest


def judge(server, name, *, tainted=False, **arguments):
    """Return (verdict, reason) of a call."""
    ruling = server.calls.judge(server.name, name, arguments, tainted=tainted)
    return ruling.verdict, ruling.reason


def test_only_what_is_pinned_and_offered_runs(tmp_path):
    """Unknown tools and unknown arguments are refused."""
    server = ready(server_at(tmp_path)).server
    assert judge(server, "add", a=1, b=2) == ("allow", "pinned")
    assert judge(server, "nix") == ("block", "tool-unknown")
    assert judge(server, "add", a=1, sidenote="x") == ("block", "argument-not-offered")


def test_the_operators_rules_and_caps_hold(tmp_path):
    """Cedar sees SERVER__TOOL and what was read; an amount that is no number is above any cap."""
    rules = Rules('permit(principal, action, resource == Tool::"demo__add") unless { context.tainted };')
    server = ready(server_at(tmp_path, rules=rules)).server
    assert judge(server, "add", a=1, b=1)[0] == "allow"
    assert judge(server, "add", tainted=True, a=1, b=1) == ("block", "not-permitted")
    assert judge(server, "read_file", path="x") == ("block", "not-permitted")
    capped = Manifest.parse('{"tools":{"demo__add":{"effect":"pay","arguments":{"a":"amount"},"most":5}}}')
    server = ready(server_at(tmp_path, manifest=capped)).server
    assert judge(server, "add", a=5, b=0)[0] == "allow"
    for much in (5.01, "a lot", None, float("nan")):
        assert judge(server, "add", a=much, b=0) == ("block", "amount-above-cap")


def test_a_decision_is_for_one_call_with_these_arguments(tmp_path):
    """None, another's, one spent, one too old: refused. A refusal for another reason spends nothing."""
    server = ready(server_at(tmp_path, decisions=True, decision="required")).server
    decisions = server.calls.decisions
    assert judge(server, "send_email", to="a@b.c", body="x") == ("block", "decision-none")
    decisions.issue("send_email", {"to": "a@b.c", "body": "x"})
    assert judge(server, "send_email", to="evil@x.y", body="x") == ("block", "decision-none")
    assert judge(server, "send_email", to="a@b.c", body="x", bcc="x") == ("block", "argument-not-offered")
    assert judge(server, "send_email", body="x", to="a@b.c") == ("allow", "decided")
    assert judge(server, "send_email", to="a@b.c", body="x") == ("block", "decision-spent")
    decisions.issue("add", {"a": 1.0, "b": 2}, 10)
    server.clock.advance(11)
    assert judge(server, "add", a=1, b=2) == ("block", "decision-expired")


def test_when_known_and_after_reading_ask_for_less(tmp_path):
    """Tools that the chat side decides about; effects after a result was read."""
    server = ready(server_at(tmp_path, decisions=True)).server
    assert judge(server, "send_email", to="a", body="x")[0] == "allow"
    server.calls.decisions.heard_of("mcp__demo__send_email")
    assert judge(server, "send_email", to="a", body="x") == ("block", "decision-none")
    server = ready(server_at(tmp_path, decisions=True, decision="after-reading")).server
    assert judge(server, "send_email", to="a", body="x")[0] == "allow"
    assert judge(server, "send_email", tainted=True, to="a", body="x") == ("block", "decision-none")
    assert judge(server, "read_file", tainted=True, path="x")[0] == "allow"


def test_a_name_that_two_servers_share_is_no_name_of_either(tmp_path):
    """A decision for one server's tool is not spent at another."""
    one = ready(server_at(tmp_path, "demo", decisions=True, decision="required")).server
    assert "add" in one.calls.names("demo", "add")
    other = ready(server_at(tmp_path, "twin", decisions=True, decision="required")).server
    other.catalogue.pins.approve("twin", ["add"], "ann")
    one.calls.decisions.issue("add", {"a": 1, "b": 1})
    assert one.calls.names("demo", "add") == ["demo__add", "mcp__demo__add"]
    assert judge(other, "add", a=1, b=1) == ("block", "decision-none")


def test_waiting_for_decisions_that_nobody_makes_is_refused(tmp_path):
    """At start, not at the first call."""
    with pytest.raises(BadSettings, match="decisions_file"):
        server_at(tmp_path, decision="required")


def test_a_broken_lock_blocks(tmp_path):
    """The control that fails says no."""
    server = ready(server_at(tmp_path)).server
    (tmp_path / "mcp-lock.json").write_text("{", encoding="utf-8")
    assert judge(server, "add", a=1, b=1) == ("block", "control-failed")


def test_arguments_are_only_recorded_when_monitored(tmp_path):
    """The finding is there, the call runs."""
    server = ready(server_at(tmp_path, arguments="monitor")).server
    ruling = server.calls.judge("demo", "read_file", {"path": "../x"})
    assert (ruling.verdict, ruling.findings[0].rule) == ("allow", "path-traversal")
    assert judge(ready(server_at(tmp_path)).server, "read_file", path="../x") == ("block", "path-traversal")
