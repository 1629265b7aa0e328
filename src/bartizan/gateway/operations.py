"""What operators and their machines ask: is it alive, does it work, what has it counted.

`/healthz` and `/readyz` tell nobody anything but yes or no; `/metrics` is for callers who may measure.
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
        works = not gate.evidence.failed
        return Answer(200 if works else 503, _JSON, dump({"status": "ready" if works else "the ledger fails"}))
    try:
        allowed = gate.auth.identify(headers).admin
    except Refused:
        allowed = False
    if not allowed:
        said = openai_error(403, "not_allowed", "Only admin keys may measure.")
        return Answer(said.status, _JSON, said.body)
    copies = gate.predictive.exposed() if gate.predictive else {}
    text = gate.meter.exposition(ledger_works=not gate.evidence.failed, copies=copies)
    return Answer(200, [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")], text.encode())
