"""Counters and request lines."""

import json
import logging

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Usage
from bartizan.gateway.meter import Meter, request_log
from bartizan.gateway.trace import Trace


def trace(**values):
    made = Trace("openai-chat", 0, body=b"the prompt")
    made.outcome, made.status, made.model, made.usage = "answered", 200, 'm"} 1\nfake', Usage(3, 4)
    for key, value in values.items():
        setattr(made, key, value)
    return made


def test_requests_findings_tokens_and_times_are_counted():
    """In a form that Prometheus reads, cumulative buckets included."""
    meter = Meter()
    meter.observe(trace(output_findings=(Finding("jwt", Severity.HIGH, "w"),)), 20_000_000)
    meter.observe(trace(outcome="blocked", verdict="block"), 2_000_000)
    text = meter.exposition(ledger_works=True)
    assert 'bartizan_requests_total{wire="openai-chat",outcome="answered",verdict="allow",status="200"} 1' in text
    assert 'bartizan_findings_total{rule="jwt"} 1' in text
    assert 'bartizan_tokens_total{direction="output"} 8' in text
    assert 'bartizan_request_seconds_bucket{wire="openai-chat",le="0.0025"} 1' in text
    assert 'bartizan_request_seconds_bucket{wire="openai-chat",le="+Inf"} 2' in text
    assert "bartizan_ledger_up 1" in text


def test_nothing_a_client_sends_becomes_a_label():
    """A model's name could forge a line or grow without end."""
    meter = Meter()
    for number in range(500):
        meter.observe(trace(output_findings=(Finding(f"rule-{number}", Severity.LOW, "w"),)), 5)
    text = meter.exposition(ledger_works=False)
    assert "fake" not in text
    assert len(meter.findings) == 201


def test_a_request_line_is_json_without_content(caplog):
    """With the names that OpenTelemetry gave them."""
    request_log.propagate = True
    with caplog.at_level(logging.INFO, "bartizan.requests"):
        Meter().observe(trace(), 1_500_000)
    line = json.loads(caplog.messages[0])
    assert (line["gen_ai.usage.input_tokens"], line["duration_s"]) == (3, 0.0015)
    assert (line["gen_ai.operation.name"], line["gen_ai.provider.name"]) == ("chat", "openai")
    assert line["gen_ai.request.model"] == ""  # no server took it: it may be anything that a client sent
    assert "the prompt" not in caplog.messages[0]
