"""Events from bytes, wherever they are cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.core.errors import UpstreamFailed
from bartizan.gateway import sse
from bartizan.gateway.sse import Event, EventSplitter, written

STREAM = (
    b": comment\n\ndata: one\n\nevent: named\r\ndata:two\r\ndata: lines\r\n\r\nid: 1\rdata: three\r\r"
    b'data: {"a":"\xe2\x82\xac"}\n\n\ndata\n\ndata: last'
)


def split(pieces):
    splitter = EventSplitter()
    events = [event for piece in pieces for event in splitter.feed(piece)]
    return events, splitter.rest()


def test_the_grammar_is_followed():
    """Comments, names, joined lines, all three line ends, fields without a colon."""
    events, rest = split([STREAM])
    assert [(event.name, event.data) for event in events if event.data or event.name] == [
        ("", b"one"),
        ("named", b"two\nlines"),
        ("", b"three"),
        ("", b'{"a":"\xe2\x82\xac"}'),
    ]
    assert b"last" in rest


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_cuts_do_not_matter(points):
    """The same data whatever the pieces, and not a byte lost or added."""
    edges = [0, *sorted(points), len(STREAM)]
    events, rest = split([STREAM[a:b] for a, b in itertools.pairwise(edges)])
    assert b"".join(event.raw for event in events) + rest == STREAM
    assert [event.data for event in events if event.data] == [event.data for event in split([STREAM])[0] if event.data]


def test_an_endless_event_is_refused(monkeypatch):
    """Memory is bounded."""
    monkeypatch.setattr(sse, "LARGEST_EVENT", 1000)
    with pytest.raises(UpstreamFailed, match="more than"):
        split([b"data: " + b"x" * 500] * 3)


def test_what_we_write_we_can_read():
    """An event of ours is an event."""
    assert split([written("a", b"b")])[0] == [Event(b"event: a\ndata: b\n\n", "a", b"b")]
