"""Ids of our own: out with ours, back with the client's, wherever a message repeats it."""

from bartizan.mcp.http.renaming import SUBSCRIPTION, renamed, restored
from bartizan.mcp.messages import Answer, Notification, Request

ASKED = Request(1, "tools/call", {"name": "x", "_meta": {"progressToken": "mine", "other": 1}})


def test_what_goes_out_has_our_id_and_token():
    """And all else as it was."""
    out = renamed(ASKED, 77)
    assert (out.id, out.params["name"], out.params["_meta"]) == (77, "x", {"progressToken": 77, "other": 1})
    assert renamed(Request(1, "ping", {}), 3) == Request(3, "ping", {})


def test_what_comes_back_has_the_clients():
    """Answers, progress, and the name of a subscription."""
    assert restored(Answer(77, result={"_meta": {SUBSCRIPTION: 77}}), ASKED).result["_meta"] == {SUBSCRIPTION: 1}
    assert restored(Answer(77, error={"code": 1}), ASKED) == Answer(1, error={"code": 1})
    progress = Notification("notifications/progress", {"progressToken": 77, "progress": 1})
    assert restored(progress, ASKED).params["progressToken"] == "mine"
    assert restored(Notification("notifications/message", {"data": "x"}), ASKED).params == {"data": "x"}
    assert restored(ASKED, ASKED) is ASKED
