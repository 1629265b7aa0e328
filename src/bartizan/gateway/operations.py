"""What operators and their machines ask: is it alive, does it work, what has it counted.

`/healthz` and `/readyz` tell nobody more than yes or no, and how many model servers are up; `/metrics` is for callers
who may measure.
"""

from bartizan.core.errors import Refused
from bartizan.gateway.auth import Headers
from bartizan.gateway.call import Answer
from bartizan.gateway.gate import Gate
from bartizan.gateway.wires.base import dump
from bartizan.gateway.wires.openai_answers import openai_error

_JSON = [(b"content-type", b"application/json")]


def operations(gate: Gate, path: str, headers: Headers) -> Answer:
    """Answer one of the three."""
    if path == "/healthz":
        return Answer(200, _JSON, dump({"status": "ok"}))
    if path == "/readyz":
        return _ready(gate)
    try:
        allowed = gate.auth.identify(headers).admin
    except Refused:
        allowed = False
    if not allowed:
        said = openai_error(403, "not_allowed", "Only admin keys may measure.")
        return Answer(said.status, _JSON, said.body)
    copies = gate.predictive.exposed() if gate.predictive else {}
    upstreams = {health.name: health.up for health in gate.healths if health.path}
    text = gate.meter.exposition(ledger_works=not gate.evidence.failed, copies=copies, upstreams=upstreams)
    return Answer(200, [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")], text.encode())


def _ready(gate: Gate) -> Answer:
    """Say whether a request could be answered: the ledger can be written and a model server may be up."""
    up = [health.up for health in gate.healths]
    wrong = "the ledger fails" if gate.evidence.failed else "no model server is up" if up and not any(up) else ""
    told: dict[str, object] = {"status": wrong or "ready"}
    if any(health.path for health in gate.healths):
        told["upstreams"] = {"up": up.count(True), "down": up.count(False)}
    return Answer(503 if wrong else 200, _JSON, dump(told))
