"""Methods: lists by direction, and capabilities that a client is not seen to have."""

from bartizan.mcp.methods import CLIENT_REQUESTS, SERVER_REQUESTS, without


def test_what_acts_on_the_client_is_on_no_list():
    """Sampling, elicitation and roots pass only by their own rule."""
    for method in ("sampling/createMessage", "elicitation/create", "roots/list"):
        assert method not in SERVER_REQUESTS | CLIENT_REQUESTS


def test_denied_capabilities_are_taken_out_everywhere():
    """Also inside what tasks may request; what is no object is nothing."""
    claimed = {"sampling": {}, "roots": {}, "tasks": {"requests": {"sampling": {}, "tools": {}}, "list": {}}}
    assert without(claimed, {"sampling"}) == {"roots": {}, "tasks": {"requests": {"tools": {}}, "list": {}}}
    assert without("x", {"sampling"}) == {}
