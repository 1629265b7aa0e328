"""The words between a conversation and its ends: both ways to a server are links, both clients are clients."""

from tests.mcp.http.far_server import FarServer

from bartizan.mcp.child import Child
from bartizan.mcp.http.link import HttpLink
from bartizan.mcp.http.streams import Streams
from bartizan.mcp.links import Client, Ear, Link
from bartizan.mcp.stdio import StdioProxy


def said_by(protocol):
    """Return the names that a protocol asks for."""
    return {name for name in dir(protocol) if not name.startswith("_")}


def test_what_is_asked_of_each_is_there():
    """Every word of a protocol is one of its kinds'."""
    for kind in (Child, HttpLink):
        assert said_by(Link) <= said_by(kind)
    for kind in (StdioProxy, Streams):
        assert said_by(Client) <= said_by(kind)
    assert not said_by(Ear) <= said_by(FarServer)
