"""A span and metrics for each request, in OpenTelemetry's words for generative AI, sent to a collector.

On the request path only a few fields are put into a bounded queue; a thread of its own makes spans of them and sends
them in batches. A collector that is away costs telemetry, never a request. Nothing sent holds content or a secret:
names are ours or the provider's, and a model's name is told only once an upstream took it.
"""

import asyncio
import contextlib
import importlib.util
import logging
import queue
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from bartizan import __version__
from bartizan.core.errors import BadSettings
from bartizan.core.messages import Usage
from bartizan.core.sections.telemetry import Telemetry
from bartizan.core.settings import secret
from bartizan.gateway.trace import Trace, spoken
from bartizan.gateway.traceparent import Place, Tracing

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.id_generator import IdGenerator

_log = logging.getLogger("bartizan.gateway")

Tell = Callable[[Trace, int], None]
_WAITING = 20000
_MOST_MODELS = 100
_LONGEST_NAME = 120
_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one request; all of it is public."""

    id: str
    wire: str
    caller: str
    model: str
    upstream: str
    stream: bool
    status: int
    verdict: str
    outcome: str
    finish: str
    usage: Usage | None
    rules: tuple[str, ...]
    began_ns: int
    first_ns: int
    ended_ns: int
    place: Place | None = None


def check(settings: Telemetry) -> None:
    """Raise BadSettings when spans are wanted and the packages for them are not there."""
    if settings.endpoint and importlib.util.find_spec("opentelemetry.exporter") is None:
        raise BadSettings(
            "telemetry.endpoint is set, but OpenTelemetry is not installed", hint="pip install 'bartizan[otel]'"
        )


def tracing(settings: Telemetry) -> Tracing | None:
    """Return what gives requests their places in traces, or None where no spans are sent."""
    return Tracing(settings.sample, join=settings.join_traces) if settings.endpoint else None


@contextlib.asynccontextmanager
async def running(settings: Telemetry) -> AsyncIterator[Tell | None]:
    """Yield what to tell finished requests to, or None when nothing is sent; send the rest at the end."""
    if not settings.endpoint:
        yield None
        return
    teller = Teller(settings)
    try:
        yield teller.tell
    finally:
        await asyncio.to_thread(teller.close)


class Teller:
    """The queue and the thread."""

    def __init__(self, settings: Telemetry) -> None:
        """Start the thread that sends to the collector. Raises BadSettings for headers that cannot be read."""
        self._queue: queue.Queue[Told | None] = queue.Queue(_WAITING)
        self._ids = Ids()
        self._spans, self._metrics = _providers(settings, self._ids)
        self.lost = 0
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def tell(self, trace: Trace, now_ns: int) -> None:
        """Put what is public of one request into the queue; when it is full, count it as lost."""
        found = (*(trace.judged.findings if trace.judged else ()), *trace.output_findings)
        told = Told(
            trace.id,
            trace.wire,
            trace.caller,
            trace.model[:_LONGEST_NAME] if trace.upstream else "",
            trace.upstream,
            trace.stream,
            trace.status,
            trace.verdict,
            trace.outcome,
            trace.finish,
            trace.usage,
            tuple(sorted({finding.rule for finding in found})),
            trace.began_ns,
            trace.first_ns,
            now_ns,
            trace.place,
        )
        try:
            self._queue.put_nowait(told)
        except queue.Full:
            self.lost += 1

    def close(self) -> None:
        """Send what is left and stop."""
        self._queue.put(None)
        self._thread.join()
        self._spans.shutdown()
        self._metrics.shutdown()
        if self.lost:
            _log.warning("telemetry: %d requests were not told, the collector is too slow", self.lost)

    def _run(self) -> None:
        book = _Book(self._spans, self._metrics, self._ids)
        while (told := self._queue.get()) is not None:
            book.write(told)


class _Book:
    """Makes spans and metrics of requests. Used by one thread."""

    def __init__(self, spans: "TracerProvider", metrics: "MeterProvider", ids: "Ids") -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode

        self._ids = ids
        self._tracer = spans.get_tracer("bartizan", __version__)
        self._kind, self._failed = SpanKind.CLIENT, Status(StatusCode.ERROR)
        meter = metrics.get_meter("bartizan", __version__)

        def histogram(name: str, unit: str, meaning: str, bounds: tuple[float, ...]) -> Any:
            return meter.create_histogram(name, unit, meaning, explicit_bucket_boundaries_advisory=bounds)

        self._took = histogram("gen_ai.server.request.duration", "s", "Time to the last byte.", _SECONDS)
        self._first = histogram("gen_ai.server.time_to_first_token", "s", "Time to a stream's first bytes.", _SECONDS)
        self._tokens = histogram("gen_ai.client.token.usage", "{token}", "Tokens as the provider counted.", _TOKENS)
        self._requests = meter.create_counter("bartizan.requests", "{request}", "Requests by how they ended.")
        self._findings = meter.create_counter("bartizan.findings", "{finding}", "What controls saw, by rule.")
        self._models: set[str] = set()

    def write(self, told: Told) -> None:
        """Write down one request."""
        operation, provider = spoken(told.wire)
        attributes: dict[str, Any] = {"gen_ai.operation.name": operation, "gen_ai.provider.name": provider}
        failed = str(told.status) if told.status >= 400 else told.outcome if told.outcome not in _ENDED else ""
        if failed:
            attributes["error.type"] = failed
        self._measure(told, attributes | ({"gen_ai.request.model": self._bounded(told.model)} if told.model else {}))
        if told.place is None or not told.place.sampled:
            return
        name = f"{operation} {told.model}" if told.model else operation
        self._ids.next = told.place
        span = self._tracer.start_span(
            name, _under(told.place), self._kind, attributes | _details(told), start_time=told.began_ns
        )
        if failed:
            span.set_status(self._failed)
        span.end(told.ended_ns)

    def _measure(self, told: Told, attributes: dict[str, Any]) -> None:
        self._took.record((told.ended_ns - told.began_ns) / 1e9, attributes)
        if told.first_ns:
            self._first.record((told.first_ns - told.began_ns) / 1e9, attributes)
        if told.usage is not None:
            self._tokens.record(told.usage.input_tokens, attributes | {"gen_ai.token.type": "input"})
            self._tokens.record(told.usage.output_tokens, attributes | {"gen_ai.token.type": "output"})
        ended = {"bartizan.verdict": told.verdict, "bartizan.outcome": told.outcome}
        self._requests.add(1, ended)
        for rule in told.rules:
            self._findings.add(1, {"bartizan.rule": rule})

    def _bounded(self, model: str) -> str:
        """Return the model, or `other` once there are many: clients choose names, and each is a series."""
        if len(self._models) < _MOST_MODELS:
            self._models.add(model)
        return model if model in self._models else "other"


class Ids:
    """Gives the next span the ids that its request went on with. Used by one thread."""

    next: Place

    def generate_span_id(self) -> int:
        """Return the id of our span."""
        return int(self.next.span_id, 16)

    def generate_trace_id(self) -> int:
        """Return the id of a trace that began here."""
        return int(self.next.trace_id, 16)

    def is_trace_id_random(self) -> bool:
        """Say yes: it is."""
        return True


def _under(place: Place) -> "Context":
    """Return the context of the span that called us; an empty one when the trace began here."""
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    if not place.parent_id:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED)
    caller = SpanContext(int(place.trace_id, 16), int(place.parent_id, 16), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(caller), Context())


_ENDED = ("answered", "blocked")


def _details(told: Told) -> dict[str, Any]:
    details: dict[str, Any] = {
        "gen_ai.request.stream": told.stream,
        "http.response.status_code": told.status,
        "bartizan.request": told.id,
        "bartizan.caller": told.caller,
        "bartizan.verdict": told.verdict,
        "bartizan.outcome": told.outcome,
    }
    if told.model:
        details["gen_ai.request.model"] = told.model
    if told.upstream:
        details["bartizan.upstream"] = told.upstream
    if told.finish:
        details["gen_ai.response.finish_reasons"] = (told.finish[:_LONGEST_NAME],)
    if told.rules:
        details["bartizan.rules"] = told.rules
    if told.first_ns:
        details["gen_ai.response.time_to_first_chunk"] = (told.first_ns - told.began_ns) / 1e9
    if told.usage is not None:
        details["gen_ai.usage.input_tokens"] = told.usage.input_tokens
        details["gen_ai.usage.output_tokens"] = told.usage.output_tokens
        details["gen_ai.usage.cache_read.input_tokens"] = told.usage.cached_tokens
        details["gen_ai.usage.cache_creation.input_tokens"] = told.usage.written_tokens
    return details


def _providers(settings: Telemetry, ids: Ids) -> "tuple[TracerProvider, MeterProvider]":
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    base, headers = settings.endpoint.rstrip("/"), _headers(settings)
    resource = Resource.create({"service.name": settings.service_name, "service.version": __version__})
    spans = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False, id_generator=cast("IdGenerator", ids))
    spans.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces", headers=headers, timeout=10), max_queue_size=_WAITING)
    )
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(f"{base}/v1/metrics", headers=headers, timeout=10),
        export_interval_millis=settings.every_s * 1000,
    )
    return spans, MeterProvider([reader], resource, shutdown_on_exit=False)


def _headers(settings: Telemetry) -> dict[str, str]:
    if not settings.headers_env:
        return {}
    pairs = [pair.partition("=") for pair in secret(settings.headers_env, "", "telemetry.headers").split(",")]
    if not all(equals and name.strip() for name, equals, _ in pairs):
        raise BadSettings(
            f"telemetry.headers_env = {settings.headers_env!r}: expected name=value,name=value in that variable"
        )
    return {name.strip(): value.strip() for name, _, value in pairs}
