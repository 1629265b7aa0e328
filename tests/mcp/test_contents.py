"""Contents: labelled, searched for orders, tamed; honest results pass unchanged."""

import base64
from dataclasses import replace

import pytest
from tests.mcp.standing import JUDGE, ORDER

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Trust
from bartizan.mcp.contents import ORIGIN_KEY, Contents, tame

CONTENTS = Contents(JUDGE, "enforce")


def screened(*content, mode="enforce", **result):
    """Return what becomes of a result."""
    return Contents(JUDGE, mode).screened({"content": list(content), **result}, "demo", "tool", Trust.WEB)


def text(said):
    """Return a text block."""
    return {"type": "text", "text": said}


def test_an_honest_result_passes_with_its_label():
    """Nothing but the label is added."""
    done = screened(text("21 °C in Paris"), structuredContent={"temperature": 21})
    assert done.result["content"] == [text("21 °C in Paris")]
    assert done.result["_meta"] == {ORIGIN_KEY: {"server": "demo", "from": "tool", "trust": "web"}}
    assert (done.withheld, done.edits) == ("", 0)


@pytest.mark.parametrize(
    "result",
    [
        {"content": [text(ORDER)]},
        {"content": [], "structuredContent": {"rows": [{"note": ORDER}]}},
        {"content": [], "structuredContent": {ORDER: 1}},
        {"content": [], "structuredContent": {"data": ORDER}},
        {"contents": [{"uri": "x:y", "mimeType": "text/plain", "blob": base64.b64encode(ORDER.encode()).decode()}]},
        {"messages": [{"role": "user", "content": text(ORDER)}]},
        {"content": [{"type": "resource", "resource": {"uri": "x:y", "text": ORDER}}]},
    ],
)
def test_orders_are_withheld_wherever_they_stand(result):
    """Text, structured content, names of fields, text in base64, prompts, embedded resources."""
    assert CONTENTS.screened(result, "demo", "tool", Trust.WEB).withheld


def test_monitoring_records_and_off_does_not_look():
    """The mode decides what a finding does."""
    seen = screened(text(ORDER), mode="monitor")
    assert seen.findings
    assert not seen.withheld
    assert not screened(text(ORDER), mode="off").findings


def test_terminal_sequences_are_taken_out():
    """ANSI colours, titles, cursor moves, bells; line ends and letters stay."""
    assert tame("a\x1b[31mb\x1b]0;title\x07c\x1b[2Jd\te\nf\x9b") == "abcd\te\nf"
    assert screened(text("a\x1b[8mhidden")).result["content"] == [text("ahidden")]


def test_links_that_run_or_lead_inside_are_taken_off():
    """A resource link goes, an address in an embedded resource is emptied; pictures in data stay."""
    done = screened(
        {"type": "resource_link", "uri": "http://169.254.169.254/", "name": "x"},
        {"type": "resource_link", "uri": "https://example.com/", "name": "y"},
        {"type": "resource", "resource": {"uri": "javascript:alert(1)", "text": "hello there"}},
        {"type": "x", "src": "data:image/png;base64,AA"},
    )
    assert [one.get("name") for one in done.result["content"]] == ["y", None, None]
    assert done.result["content"][1]["resource"]["uri"] == "about:blank"
    assert done.result["content"][2]["src"].startswith("data:image/")
    assert [one.rule for one in done.findings] == ["link-withheld"] * 2


def test_a_servers_own_label_is_replaced():
    """Nobody labels himself."""
    done = screened(text("hello"), _meta={ORIGIN_KEY: {"trust": "operator"}, "a": 1})
    assert done.result["_meta"] == {"a": 1, ORIGIN_KEY: {"server": "demo", "from": "tool", "trust": "web"}}
    assert "_meta" not in CONTENTS.tamed({"a": "b"})


class Counted:
    """A judge that counts what it is asked; it may be broken."""

    def __init__(self, broken=False):
        self.asked, self.broken = 0, broken

    def judge(self, text):
        self.asked += 1
        judgement = JUDGE.judge(text)
        return replace(judgement, findings=(BROKEN,)) if self.broken else judgement


BROKEN = Finding("detector-failed", Severity.HIGH, "it broke")


def test_a_text_that_comes_again_is_not_judged_again():
    """Lists of prompts and resources come often; who could have written it matters, and a failure is not kept."""
    judge = Counted()
    contents = Contents(judge, "enforce")
    for trust in (Trust.WEB, Trust.WEB, Trust.TOOL):
        assert contents.screened({"content": [text(ORDER)]}, "demo", "tool", trust).withheld
    assert judge.asked == 2
    judge = Counted(broken=True)
    contents = Contents(judge, "enforce")
    for _ in range(2):
        contents.screened({"content": [text("an honest text")]}, "demo", "tool", Trust.WEB)
    assert judge.asked == 2


def test_an_empty_result_stays_empty():
    """MCP says that it is; there is nothing in it to label."""
    assert CONTENTS.screened({}, "demo", "ping", Trust.WEB).result == {}
    assert CONTENTS.screened({"resultType": "complete"}, "demo", "x", Trust.WEB).result == {"resultType": "complete"}
