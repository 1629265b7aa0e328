"""Headers: which names are ours, which pages may talk to us, what a client takes and brings."""

import pytest

from bartizan.gateway.call import Call
from bartizan.mcp.http.heads import NotTaken, brings_json, doors, head_of, known, takes


def call(**headers):
    """Return a request with these headers."""
    said = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Call("POST", "/mcp", said, b"")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8788", "[::1]:8788"])
def test_on_this_machine_its_own_names_are_ours(host):
    """With any port."""
    doors("127.0.0.1", (), ()).check(call(host=host))


@pytest.mark.parametrize("host", ["evil.test", "", "localhost.evil.test", "127.0.0.1@evil.test", "[::1", "127.0.0.2"])
def test_a_name_that_a_stranger_points_at_us_is_not(host):
    """DNS rebinding: the browser says the name of the page."""
    with pytest.raises(NotTaken, match="Host"):
        doors("localhost", (), ()).check(call(host=host))


def test_the_operators_names_and_origins_are_ours():
    """Beside those of this machine, or instead of them elsewhere."""
    open_ = doors("0.0.0.0", ("mcp.test",), ("https://app.test",))
    open_.check(call(host="mcp.test", origin="https://app.test"))
    for headers in ({"host": "localhost"}, {"host": "mcp.test", "origin": "https://app.test.evil.test"}):
        with pytest.raises(NotTaken):
            open_.check(call(**headers))
    doors("0.0.0.0", (), ()).check(call(host="any.test"))
    with pytest.raises(NotTaken):
        doors("0.0.0.0", (), ()).check(call(host="any.test", origin="http://any.test"))


def test_a_header_that_decides_is_there_once():
    """Two readers could take different ones."""
    twice = Call("POST", "/mcp", [(b"host", b"localhost"), (b"host", b"evil.test")], b"")
    with pytest.raises(NotTaken, match="twice"):
        doors("127.0.0.1", (), ()).check(twice)


def test_what_the_headers_say_of_mcp():
    """Version, session, event, and those that repeat the body."""
    head = head_of(call(mcp_protocol_version="2026-07-28", mcp_session_id="s", mcp_name=" x ", last_event_id="1-2"))
    assert (head.version, head.session, head.last_event) == ("2026-07-28", "s", "1-2")
    assert head.mirrors == (("mcp-name", "x"),)
    assert head.stateless
    known(head)
    with pytest.raises(NotTaken, match="2031"):
        known(head_of(call(mcp_protocol_version="2031-01-01")))
    with pytest.raises(NotTaken):
        head_of(call(mcp_session_id="s" * 200))


def test_what_a_client_takes_and_brings():
    """Kinds by name, by family, or any; a body that says that it is JSON and is not compressed."""
    takes(call(accept="application/json;q=0.9, text/*"), "application/json", "text/event-stream")
    takes(call(accept="*/*"), "text/event-stream")
    with pytest.raises(NotTaken):
        takes(call(), "text/event-stream")
    brings_json(call(content_type="application/json; charset=utf-8"))
    for headers in ({}, {"content_type": "text/plain"}, {"content_type": "application/json", "content_encoding": "br"}):
        with pytest.raises(NotTaken):
            brings_json(call(**headers))
