"""Several upstreams."""

import pytest

from bartizan.core.errors import UpstreamFailed
from bartizan.gateway.routing import Route, Routes
from bartizan.gateway.testing import StubUpstream
from bartizan.gateway.upstream import HttpUpstream


def nowhere():
    """An upstream that nobody listens at."""
    return HttpUpstream("nowhere", "http://127.0.0.1:1")


async def test_the_first_that_serves_the_model_gets_the_request():
    """By pattern, in order; a list of models comes from the first."""
    small, rest = StubUpstream(), StubUpstream()
    routes = Routes([Route(("llama-*", "phi"), small), Route(("*",), rest)])
    for model in ("llama-3", "phi", "phi-2", ""):
        await routes.send("POST", "/x", [], b"", model)
    assert (len(small.sent), len(rest.sent)) == (3, 1)


async def test_another_steps_in_only_when_nobody_was_reached():
    """A request that may have been read is never sent twice."""
    second = StubUpstream()
    await Routes([Route(("*",), nowhere()), Route(("*",), second)]).send("POST", "/x", [], b"", "m")
    assert len(second.sent) == 1
    failing = StubUpstream(fails="cut off")
    with pytest.raises(UpstreamFailed, match="cut off"):
        await Routes([Route(("*",), failing), Route(("*",), second)]).send("POST", "/x", [], b"", "m")
    assert len(second.sent) == 1


async def test_no_route_and_no_connection_are_errors():
    """The model, or the upstream, is named."""
    with pytest.raises(UpstreamFailed, match="no upstream serves the model 'x'"):
        await Routes([Route(("m",), StubUpstream())]).send("POST", "/x", [], b"", "x")
    routes = Routes([Route(("*",), nowhere())])
    with pytest.raises(UpstreamFailed, match="nowhere: cannot connect"):
        await routes.send("POST", "/x", [], b"", "x")
    await routes.close()
