"""Counts what passes and says it in Prometheus' text form; writes one JSON line per request when asked to.

Labels take values from our own fixed words only, never from what a client sends, so that nobody can make them grow and
no secret can stand in one. Lines use the OpenTelemetry names for generative AI where there is one.
"""

import json
import logging
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from bartizan.core.findings import Finding
from bartizan.gateway.trace import Trace, spoken

_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, math.inf)
_MOST_RULES = 200

request_log = logging.getLogger("bartizan.requests")


class Meter:
    """The counters of one gateway process."""

    def __init__(self, tell: Callable[[Trace, int], None] | None = None) -> None:
        """Start at zero. `tell` hears of every finished request too."""
        self._tell = tell
        self.requests: Counter[tuple[str, str, str, int]] = Counter()
        self.findings: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.took: Counter[tuple[str, float]] = Counter()
        self.took_sum: Counter[str] = Counter()

    def observe(self, trace: Trace, now_ns: int) -> None:
        """Count one finished request."""
        seconds = (now_ns - trace.began_ns) / 1e9
        self.requests[(trace.wire, trace.outcome, trace.verdict, trace.status)] += 1
        bound = _BOUNDS_S[bisect_left(_BOUNDS_S, seconds)]
        self.took[(trace.wire, bound)] += 1
        self.took_sum[trace.wire] += round(seconds * 1e6)
        for finding in _found(trace):
            known = finding.rule in self.findings or len(self.findings) < _MOST_RULES
            self.findings[finding.rule if known else "other"] += 1
        if trace.usage is not None:
            self.tokens["input"] += trace.usage.input_tokens
            self.tokens["output"] += trace.usage.output_tokens
        if self._tell is not None:
            self._tell(trace, now_ns)
        if request_log.isEnabledFor(logging.INFO):
            request_log.info("%s", json.dumps(_line(trace, now_ns)))

    def exposition(
        self,
        *,
        ledger_works: bool,
        copies: Mapping[float, int] | None = None,
        upstreams: Mapping[str, bool] | None = None,
    ) -> str:
        """Return everything in Prometheus' text form.

        `copies`: how many callers could copy a model so well. `upstreams`: which of those that are probed are up.
        """
        lines = [
            *_family("bartizan_requests_total", "counter", "Requests by how they ended."),
            *self._requests(),
            *_family("bartizan_findings_total", "counter", "What controls saw, by rule."),
            *(f'bartizan_findings_total{{rule="{rule}"}} {n}' for rule, n in sorted(self.findings.items())),
            *_family("bartizan_tokens_total", "counter", "Tokens as upstreams counted them."),
            *(f'bartizan_tokens_total{{direction="{way}"}} {n}' for way, n in sorted(self.tokens.items())),
            *_family("bartizan_request_seconds", "histogram", "Time from a request's arrival to its last record."),
            *self._histogram(),
            *_family(
                "bartizan_copy_exposure", "gauge", "Callers and networks whose copy would agree at least so often."
            ),
            *(f'bartizan_copy_exposure{{at_least="{level:g}"}} {n}' for level, n in sorted((copies or {}).items())),
            *_family("bartizan_upstream_up", "gauge", "Whether a model server answers its probes."),
            *(f'bartizan_upstream_up{{upstream="{_label(name)}"}} {int(up)}' for name, up in (upstreams or {}).items()),
            *_family("bartizan_ledger_up", "gauge", "Whether the last write to the ledger worked."),
            f"bartizan_ledger_up {int(ledger_works)}",
        ]
        return "\n".join(lines) + "\n"

    def _requests(self) -> Iterable[str]:
        for (wire, outcome, verdict, status), n in sorted(self.requests.items()):
            labels = f'wire="{wire}",outcome="{outcome}",verdict="{verdict}",status="{status}"'
            yield f"bartizan_requests_total{{{labels}}} {n}"

    def _histogram(self) -> Iterable[str]:
        for wire in sorted(self.took_sum):
            total = 0
            for bound in _BOUNDS_S:
                total += self.took[(wire, bound)]
                shown = "+Inf" if bound == math.inf else f"{bound:g}"
                yield f'bartizan_request_seconds_bucket{{wire="{wire}",le="{shown}"}} {total}'
            yield f'bartizan_request_seconds_sum{{wire="{wire}"}} {self.took_sum[wire] / 1e6:.6f}'
            yield f'bartizan_request_seconds_count{{wire="{wire}"}} {total}'


def _label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _family(name: str, kind: str, meaning: str) -> tuple[str, str]:
    return f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"


def _found(trace: Trace) -> tuple[Finding, ...]:
    return (*(trace.judged.findings if trace.judged else ()), *trace.output_findings)


def _line(trace: Trace, now_ns: int) -> dict[str, object]:
    operation, provider = spoken(trace.wire)
    line: dict[str, object] = {
        "time": datetime.fromtimestamp(now_ns / 1e9, UTC).isoformat(timespec="microseconds"),
        "level": "INFO",
        "logger": request_log.name,
        "bartizan.request": trace.id,
        "bartizan.caller": trace.caller,
        "bartizan.verdict": trace.verdict,
        "bartizan.outcome": trace.outcome,
        "bartizan.upstream": trace.upstream,
        "bartizan.rules": sorted({finding.rule for finding in _found(trace)}),
        "gen_ai.operation.name": operation,
        "gen_ai.request.model": trace.model[:200] if trace.upstream else "",
        "gen_ai.request.stream": trace.stream,
        "gen_ai.provider.name": provider,
        "gen_ai.response.finish_reasons": [trace.finish] if trace.finish else [],
        "http.response.status_code": trace.status,
        "duration_s": round((now_ns - trace.began_ns) / 1e9, 6),
    }
    if trace.place is not None:
        line |= {"trace_id": trace.place.trace_id, "span_id": trace.place.span_id}
    if trace.usage is not None:
        line["gen_ai.usage.input_tokens"] = trace.usage.input_tokens
        line["gen_ai.usage.output_tokens"] = trace.usage.output_tokens
    return line
