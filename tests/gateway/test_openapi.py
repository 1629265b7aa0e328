"""The API description is true: requests made from it find no 5xx of ours, no answer that it does not name, no hang."""

import asyncio
import contextlib
import json
import threading

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.gateway.conftest import World

from bartizan.gateway.openapi import describe
from bartizan.gateway.testing import StubUpstream
from bartizan.gateway.wires import WIRES

ANSWER = b'{"choices":[{"message":{"content":"fine"},"finish_reason":"stop"}],"object":"list","data":[]}'


@contextlib.contextmanager
def served():
    """The address of a gateway that runs in a thread of its own."""
    told, stop, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()
    world, found = World(), []
    world.upstream = StubUpstream((ANSWER,))

    async def run():
        async with world.server() as url:
            found.append(url)
            told.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert told.wait(10)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module")
def url():
    """A running gateway."""
    with served() as address:
        yield address


SCHEMA = schemathesis.openapi.from_dict(describe(WIRES))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
CHECKED = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_requests_made_from_the_description_are_answered_as_described(url, operation, mode):
    """Right and wrong ones, on every route: a status that is described, a body of the described form, within 5 s."""

    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def asked(case):
        answer = case.call(base_url=url, timeout=5)
        assert answer.status_code < 500, answer.text
        case.validate_response(answer, checks=CHECKED)

    with contextlib.suppress(Unsatisfiable):  # a route without parameters cannot be asked wrongly
        asked()


def test_every_route_of_every_wire_is_described_and_nothing_else():
    """A wire that is added without a description of its body would be fuzzed with anything."""
    paths = describe(WIRES)["paths"]
    assert {path for path in paths if "post" in paths[path]} == {path for wire in WIRES for path in wire.paths}
    for path in paths:
        body = paths[path].get("post", {}).get("requestBody")
        assert body is None or len(body["content"]["application/json"]["schema"]["properties"]) > 2, path


async def test_the_description_is_served_to_anybody(world):
    """It holds nothing that is not in the manual."""
    async with world.client() as client:
        answer = await client.get("/openapi.json")
    assert json.loads(answer.content)["openapi"] == "3.1.0"
