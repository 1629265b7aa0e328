"""Spans and metrics as a collector gets them: the standard's names, no content, and no request that waits for them."""

import asyncio
import contextlib
import gzip
import logging
import threading
import time

import pytest
import uvicorn
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.gateway.conftest import chat

from bartizan.core.errors import BadSettings
from bartizan.core.sections.telemetry import Telemetry
from bartizan.gateway import telemetry
from bartizan.gateway.meter import Meter
from bartizan.gateway.server import listen
from bartizan.gateway.telemetry import Teller, running
from bartizan.gateway.testing import StubUpstream
from bartizan.gateway.trace import Trace

URL = "/v1/chat/completions"
USAGE = b'"usage":{"prompt_tokens":11,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":3}}'
ANSWER = b'{"choices":[{"message":{"content":"CONTENT-OUT"},"finish_reason":"stop"}],' + USAGE + b"}"


class Collector:
    """An OTLP/HTTP collector that keeps what it is sent."""

    def __init__(self):
        self.spans, self.metrics, self.raw, self.headers = [], {}, b"", []

    async def __call__(self, scope, receive, send):
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        body += message.get("body", b"")
        headers = dict(scope["headers"])
        body = gzip.decompress(body) if headers.get(b"content-encoding") == b"gzip" else body
        self.raw += body
        self.headers.append(headers)
        if scope["path"] == "/v1/traces":
            for batch in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.spans += [span for scoped in batch.scope_spans for span in scoped.spans]
        else:
            assert scope["path"] == "/v1/metrics"
            for batch in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                self.metrics |= {metric.name: metric for scoped in batch.scope_metrics for metric in scoped.metrics}
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@contextlib.asynccontextmanager
async def collector():
    """A running collector and its address."""
    kept, listening = Collector(), listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(kept, ws="none", log_config=None, access_log=False, lifespan="off"))
    server.capture_signals = contextlib.nullcontext
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield kept, f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


def values(attributes):
    """Attributes as a dictionary."""
    kinds = {each.key: each.value for each in attributes}
    found = {}
    for key, value in kinds.items():
        kind = value.WhichOneof("value")
        whole = getattr(value, kind)
        found[key] = [item.string_value for item in whole.values] if kind == "array_value" else whole
    return found


async def told(world, settings, *requests):
    """Send requests through a gateway with telemetry; return the answers once everything is sent."""
    async with running(settings) as tell:
        world.options |= {"meter": Meter(tell), "tracing": telemetry.tracing(settings)}
        async with world.client() as client:
            return [await client.post(URL, **request) for request in requests]


async def test_a_collector_gets_a_span_in_the_standards_words(world):
    """Operation, provider, model, usage, finish, status; ours beside them; the time is the request's."""
    world.upstream = StubUpstream((ANSWER,))
    async with collector() as (kept, address):
        before = time.time_ns()
        await told(world, Telemetry(endpoint=address), {"content": chat("CONTENT-IN")})
    [span] = kept.spans
    assert span.name == "chat m"
    assert before < span.start_time_unix_nano < span.end_time_unix_nano < time.time_ns()
    seen = values(span.attributes)
    assert seen.pop("bartizan.request")
    assert seen == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.request.stream": False,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "http.response.status_code": 200,
        "bartizan.caller": "anonymous",
        "bartizan.upstream": "stub",
        "bartizan.verdict": "allow",
        "bartizan.outcome": "answered",
    }
    assert b"CONTENT" not in kept.raw


async def test_metrics_count_every_request(world):
    """Duration, tokens, how it ended, what was found; a stream's first bytes too."""
    events = (
        b'data: {"choices":[{"delta":{"content":"a b "}}]}\n\n',
        b'data: {"choices":[],' + USAGE + b"}\n\n",
        b"data: [DONE]\n\n",
    )
    world.upstream = StubUpstream(events, content_type=b"text/event-stream")
    ask = {"content": chat("hello", stream=True)}
    async with collector() as (kept, address):
        await told(world, Telemetry(endpoint=address), ask, ask, {"content": chat("forbidden")})
    assert len(kept.spans) == 3
    points = kept.metrics["gen_ai.server.request.duration"].histogram.data_points
    assert sum(point.count for point in points) == 3
    assert kept.metrics["gen_ai.server.time_to_first_token"].histogram.data_points[0].count == 2
    tokens = {
        values(point.attributes)["gen_ai.token.type"]: point for point in _points(kept, "gen_ai.client.token.usage")
    }
    assert (tokens["input"].sum, tokens["output"].sum) == (22, 14)
    ended = {
        values(point.attributes)["bartizan.outcome"]: point.as_int
        for point in kept.metrics["bartizan.requests"].sum.data_points
    }
    assert ended == {"answered": 2, "blocked": 1}
    [rule] = kept.metrics["bartizan.findings"].sum.data_points
    assert values(rule.attributes) == {"bartizan.rule": "word"}
    blocked = [span for span in kept.spans if values(span.attributes)["bartizan.outcome"] == "blocked"]
    assert blocked[0].name == "chat"


def _points(kept, name):
    return kept.metrics[name].histogram.data_points


async def test_a_failure_is_an_error_with_its_type(world):
    """Status and error.type; no message, because messages may hold anything."""
    world.upstream = StubUpstream(fails="connect to 10.0.0.7 refused")
    async with collector() as (kept, address):
        await told(world, Telemetry(endpoint=address), {"content": chat()})
    [span] = kept.spans
    assert values(span.attributes)["error.type"] == "502"
    assert span.status.code == 2
    assert not span.status.message
    assert b"10.0.0.7" not in kept.raw


async def test_models_that_clients_invent_do_not_grow_the_metrics(world):
    """After a hundred names the rest are `other`; spans keep theirs, cut short."""
    world.upstream = StubUpstream((ANSWER,))
    asks = [{"content": chat().replace(b'"m"', b'"model-%d-%s"' % (i, b"x" * 300))} for i in range(105)]
    async with collector() as (kept, address):
        await told(world, Telemetry(endpoint=address), *asks)
    points = kept.metrics["gen_ai.server.request.duration"].histogram.data_points
    names = {values(point.attributes)["gen_ai.request.model"] for point in points}
    assert len(names) == 101
    assert "other" in names
    assert max(len(span.name) for span in kept.spans) <= 125


async def test_headers_for_the_collector_come_from_the_environment(world, monkeypatch):
    """A token for the collector is no setting in a file."""
    monkeypatch.setenv("COLLECTOR_HEADERS", "authorization=Bearer t0k, x-team = a")
    async with collector() as (kept, address):
        await told(world, Telemetry(endpoint=address, headers_env="COLLECTOR_HEADERS"), {"content": chat()})
    assert all(headers[b"authorization"] == b"Bearer t0k" and headers[b"x-team"] == b"a" for headers in kept.headers)
    monkeypatch.setenv("COLLECTOR_HEADERS", "nonsense")
    with pytest.raises(BadSettings, match="expected name=value"):
        Teller(Telemetry(endpoint="http://127.0.0.1:9", headers_env="COLLECTOR_HEADERS"))


async def test_without_an_endpoint_nothing_is_made():
    """No thread, no queue."""
    async with running(Telemetry()) as tell:
        assert tell is None


async def test_a_sample_of_spans_and_all_metrics(world):
    """Nothing sampled still counts."""
    async with collector() as (kept, address):
        await told(world, Telemetry(endpoint=address, sample=0.0), {"content": chat()})
    assert kept.spans == []
    assert kept.metrics["bartizan.requests"].sum.data_points[0].as_int == 1


CALLER = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "team=a"}


async def test_a_trace_goes_on_through_us(world):
    """Our span is the child of the client's and the parent of the model server's, with the ids that were told."""
    world.upstream = StubUpstream((ANSWER,))
    unsampled = {"traceparent": CALLER["traceparent"][:-1] + "0"}
    async with collector() as (kept, address):
        asks = [{"content": chat(), "headers": headers} for headers in (CALLER, unsampled)]
        await told(world, Telemetry(endpoint=address), *asks)
    [span] = kept.spans
    assert [span.trace_id.hex(), span.parent_span_id.hex()] == CALLER["traceparent"].split("-")[1:3]
    first, second = (dict(headers) for _, _, headers, _ in world.upstream.sent)
    assert first[b"traceparent"].decode() == f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01"
    assert first[b"tracestate"] == b"team=a"
    assert second[b"traceparent"].endswith(b"-00")


@pytest.mark.parametrize("more", [{"join_traces": False}, {"endpoint": ""}], ids=["strangers", "no spans"])
async def test_a_trace_begins_here_or_is_none_of_ours(world, more):
    """Strangers name no trace of ours; where no spans are sent, the headers pass as they came."""
    world.upstream = StubUpstream((ANSWER,))
    async with collector() as (kept, address):
        await told(world, Telemetry(**{"endpoint": address} | more), {"content": chat(), "headers": CALLER})
    sent = {name.decode(): value.decode() for name, value in world.upstream.sent[0][2]}
    if not kept.spans:
        assert CALLER.items() <= sent.items()
        return
    [span] = kept.spans
    assert not span.parent_span_id
    assert sent["traceparent"] == f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01" != CALLER["traceparent"]
    assert "tracestate" not in sent


def test_a_collector_that_is_away_costs_no_request(monkeypatch, caplog):
    """Telling never waits; what does not fit is counted and said at the end."""
    monkeypatch.setattr(telemetry, "_WAITING", 600)
    caplog.set_level(logging.WARNING, "bartizan.gateway")
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)

    awake = threading.Event()

    class Stuck(Teller):
        def _run(self):
            awake.wait()
            while self._queue.get() is not None:
                pass

    teller = Stuck(Telemetry(endpoint="http://127.0.0.1:9", sample=0.0))
    began = time.monotonic()
    for _ in range(2000):
        teller.tell(Trace("openai-chat", 1), 2)
    assert time.monotonic() - began < 0.5
    awake.set()
    teller._metrics.shutdown = lambda: None  # its last attempt to reach nobody would take seconds
    teller.close()
    assert "1400 requests were not told" in caplog.text


def test_wanting_spans_without_the_extra_is_a_clear_error(monkeypatch):
    """The hint names the extra."""
    monkeypatch.setattr(telemetry.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadSettings) as caught:
        telemetry.check(Telemetry(endpoint="http://127.0.0.1:4318"))
    assert "bartizan[otel]" in caught.value.hint()
    telemetry.check(Telemetry())
