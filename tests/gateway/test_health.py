"""Health of model servers: when one is down, when it is up again, who is asked then, and who is told."""

import asyncio

import pytest

from bartizan.core import settings
from bartizan.core.clock import SystemClock
from bartizan.gateway.assembly import gate_opener
from bartizan.gateway.health import Health, probing
from bartizan.gateway.routing import Route, Routes
from bartizan.gateway.testing import MemoryLog, StubUpstream, WordScreen
from bartizan.gateway.upstream import HttpUpstream


async def test_two_failures_in_a_row_and_one_success():
    """One slip of a server that was well is none."""
    server = StubUpstream()
    health = Health(server, "/health")
    seen = []
    for server.status in (200, 500, 200, 503, 503, 404):
        await health.probe()
        seen.append(health.up)
    assert seen == [True, True, True, True, False, True]
    assert server.sent[0] == ("GET", "/health", [], b"")
    assert all(answer.released for answer in server.answers)


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (StubUpstream(status=401), "/health answers 401"),
        (StubUpstream(fails="cut off"), "cut off"),
        (HttpUpstream("nowhere", "http://127.0.0.1:1"), "cannot connect"),
        (StubUpstream(pieces=(b"x" * 4096,) * 1000), ""),
    ],
    ids=["our key", "cut", "nobody there", "an endless answer is an answer"],
)
async def test_the_first_probe_decides_at_once(server, why, caplog):
    """Nothing is known in favour of a server that fails it; the log says why."""
    health = Health(server, "/health")
    await health.probe()
    assert health.up is not bool(why)
    assert why in caplog.text


async def test_a_server_that_keeps_silent_is_down():
    """The probe has a deadline of its own."""

    class Silent(StubUpstream):
        """Never answers."""

        async def send(self, *_, **__):
            """Wait for ever."""
            await asyncio.Event().wait()

    health = Health(Silent(), "/health", timeout_s=0.01)
    await health.probe()
    assert not health.up


async def test_who_is_down_is_asked_last_and_never_left_out():
    """Requests go to the other; with nobody else, the one that is down may be well after all."""
    first, second = StubUpstream(), StubUpstream()
    health = Health(first, "/health")
    routes = Routes([Route(("*",), first, health), Route(("*",), second)])
    health.failed("x")
    await routes.send("POST", "/x", [], b"", "m")
    assert (len(first.sent), len(second.sent)) == (0, 1)
    await Routes([Route(("*",), first, health)]).send("POST", "/x", [], b"", "m")
    assert len(first.sent) == 1
    health.well()
    await routes.send("POST", "/x", [], b"", "m")
    assert len(first.sent) == 2


async def test_a_request_that_reaches_nobody_counts_and_without_probes_nothing_does():
    """Only where a probe can bring it back."""
    nowhere = HttpUpstream("nowhere", "http://127.0.0.1:1")
    for path, up in (("/health", False), ("", True)):
        health = Health(nowhere, path)
        await Routes([Route(("*",), nowhere, health), Route(("*",), StubUpstream())]).send("POST", "/x", [], b"", "m")
        assert health.up is up


async def test_probes_stop_with_the_gateway():
    """And begin with it, for those that have a path."""
    asked, other = StubUpstream(), StubUpstream()
    async with probing((Health(asked, "/health", every_s=0.01), Health(other))):
        while len(asked.sent) < 3:
            await asyncio.sleep(0.005)
    count = len(asked.sent)
    await asyncio.sleep(0.03)
    assert (len(asked.sent), other.sent) == (count, [])


async def test_readiness_and_metrics_tell_who_is_up(world):
    """How many to anybody, who to those who may measure; nobody up means not ready."""
    first, second = Health(StubUpstream(name="a"), "/health"), Health(StubUpstream(name='b"'))
    world.options["healths"] = (first, second)
    async with world.client() as client:
        assert (await client.get("/readyz")).json() == {"status": "ready", "upstreams": {"up": 2, "down": 0}}
        first.failed("x")
        assert (await client.get("/readyz")).json()["upstreams"] == {"up": 1, "down": 1}
        assert 'bartizan_upstream_up{upstream="a"} 0\n' in (await client.get("/metrics")).text
    second.path, second.up = '/"', False
    world.options["healths"] = (first, second)
    async with world.client() as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "no model server is up")
        assert 'bartizan_upstream_up{upstream="b\\""} 0\n' in (await client.get("/metrics")).text


async def test_the_settings_switch_it_on(tmp_path):
    """A server that nobody listens at is down a moment after the start."""
    text = f"""
[gateway]
keys_file = "{tmp_path}/keys.json"
[[gateway.upstreams]]
name = "gone"
url = "http://127.0.0.1:1"
health_path = "/health"
health_every_s = 0.05
"""
    opened = gate_opener(settings.parse(text), WordScreen(), MemoryLog, SystemClock())
    async with opened() as gate:
        [health] = gate.healths
        async with asyncio.timeout(5):
            while health.up:
                await asyncio.sleep(0.01)
