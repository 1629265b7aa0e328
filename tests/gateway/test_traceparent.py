"""W3C Trace Context: what is read, what begins anew."""

import pytest

from bartizan.gateway.traceparent import Tracing, parent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("named", "sampled"),
    [
        (GOOD, True),
        (f" {GOOD} ", True),
        (GOOD[:-2] + "00", False),
        (GOOD[:-2] + "03", True),
        (f"01-{TRACE}-{SPAN}-01-what-later-versions-say", True),
        (f"01-{TRACE}-{SPAN}-01", True),
    ],
)
def test_a_valid_parent_is_read(named, sampled):
    """A later version's further fields are stepped over."""
    assert parent([(b"traceparent", named.encode())]) == (TRACE, SPAN, sampled)


@pytest.mark.parametrize(
    "named",
    [
        "",
        GOOD.upper(),
        GOOD + "-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01.x",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        GOOD.replace("-", "_"),
    ],
)
def test_what_is_not_valid_begins_a_trace(named):
    """Wrong letters, lengths, zeros, the forbidden version; and two parents that contradict each other."""
    assert parent([(b"traceparent", named.encode())]) is None
    headers = [(b"traceparent", named.encode()), (b"tracestate", b"a=1"), (b"x", b"y")]
    place = Tracing(1.0, join=True).begin(headers)
    assert not place.parent_id
    assert place.told(headers) == [(b"x", b"y"), (b"traceparent", place.header)]
    assert parent([(b"traceparent", place.header)]) == (place.trace_id, place.span_id, True)


def test_two_parents_are_none():
    """Nobody could say which is right."""
    assert parent([(b"traceparent", GOOD.encode())] * 2) is None


def test_the_share_of_traces_that_begin_here():
    """All, none, about half."""
    found = {share: sum(Tracing(share, join=True).begin([]).sampled for _ in range(400)) for share in (0.0, 0.5, 1.0)}
    assert found[0.0] == 0
    assert 120 < found[0.5] < 280
    assert found[1.0] == 400
