"""The life of one request to a predictive model, in order: who, what, may they, the model, how much leaves, the record.

Everything that is not one of the routes here is refused: management, repository, shared memory, trace, statistics.
"""

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from bartizan.core.errors import BadEvidence, BadRequest, Refused, UpstreamFailed
from bartizan.core.messages import Prompt, Usage
from bartizan.gateway.alerts import Alerts
from bartizan.gateway.call import Answer, Call
from bartizan.gateway.exchange import admitted, failed, our_headers, recorded
from bartizan.gateway.gate import Gate
from bartizan.gateway.limits.booking import Booking, Turned
from bartizan.gateway.predict.copying import CopyWatch, misinformed
from bartizan.gateway.predict.dialects import DIALECT, V2, Form, Plain
from bartizan.gateway.predict.ladder import harsher
from bartizan.gateway.predict.model import Model, Prediction, softmax, whole
from bartizan.gateway.predict.releases import Releases, misled
from bartizan.gateway.predict.tensors import Array, Request
from bartizan.gateway.predict.watching import QueryWatch, finding
from bartizan.gateway.trace import Trace
from bartizan.gateway.wires.base import Asked

_log = logging.getLogger("bartizan.gateway")
_JSON = (b"content-type", b"application/json")
_MODEL = r"/v2/models/(?P<model>[A-Za-z0-9][A-Za-z0-9._-]{0,99})(?:/versions/(?P<version>[A-Za-z0-9._-]{1,40}))?"
_ROUTE = re.compile(_MODEL + r"(?P<what>|/ready|/infer)")
_PLAIN = re.compile(r"/v1/models/(?P<model>[A-Za-z0-9][A-Za-z0-9._-]{0,99})(?P<what>:predict)")


class UnknownModel(BadRequest):
    """No such model or route here."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of which model, in which form and from which address."""

    model: Model
    form: Form
    request: Request
    address: str


class Predictions:
    """The predictive routes."""

    def __init__(
        self,
        models: Sequence[Model],
        releases: Releases,
        watch: QueryWatch | None = None,
        copying: CopyWatch | None = None,
    ) -> None:
        """Serve `models`, each caller as `releases` say, less where `watch` or `copying` says so."""
        self._models = {model.settings.name: model for model in models}
        self._releases = releases
        self.watch = watch or QueryWatch({})
        self.copying = copying or CopyWatch()

    def tell(self, alerts: Alerts) -> None:
        """Tell `alerts` of what the watches notice."""
        self.watch.alerts = self.copying.alerts = alerts

    def exposed(self) -> dict[float, int]:
        """Return how many callers and networks could have a copy that agrees with its model that often."""
        return self.copying.exposed()

    def owns(self, path: str) -> bool:
        """Return whether `path` is one that a client of predictive models would ask."""
        return (
            path == "/v2" or path.startswith("/v2/") or (path.startswith("/v1/models/") and path.endswith(":predict"))
        )

    async def close(self) -> None:
        """Close every connection to the model servers."""
        for model in self._models.values():
            await model.upstream.close()

    async def answer(self, gate: Gate, call: Call) -> Answer | None:
        """Return the answer to one request, or None when it is not for a predictive model.

        Whatever goes wrong becomes an answer too.
        """
        path = call.path
        if path != "/v2" and not path.startswith("/v2/") and not _PLAIN.fullmatch(path):
            return None
        if call.method in ("GET", "HEAD") and path in ("/v2/health/live", "/v2/health/ready"):
            return self._health(gate, path)
        trace = gate.trace(DIALECT.name, call)
        gate.evidence.began()
        try:
            return await self._routed(gate, call, trace)
        except UnknownModel as error:
            return await failed(gate, trace, DIALECT.error(404, "not_found", str(error)))
        except Refused as error:
            return await failed(gate, trace, DIALECT.error(401, "invalid_api_key", str(error)))
        except BadRequest as error:
            return await failed(gate, trace, DIALECT.error(400, "invalid_request", str(error)))
        except UpstreamFailed as error:
            _log.warning("request %s: %s", trace.id, error)
            said = DIALECT.error(502, "upstream_failed", "The model server did not answer.")
            return await failed(gate, trace, said)
        except asyncio.CancelledError:
            trace.outcome = "aborted"
            gate.evidence.enqueue("exchange", trace.record(gate.clock.wall_ns()))
            raise
        except BadEvidence as error:
            _log.error("request %s: %s", trace.id, error)
            said = DIALECT.error(503, "evidence_unavailable", "No answer without a record: the ledger failed.")
            return Answer(said.status, [_JSON, *our_headers(trace, None)], said.body)
        finally:
            gate.evidence.ended()

    async def _routed(self, gate: Gate, call: Call, trace: Trace) -> Answer:
        # 1. Who is calling?
        caller = gate.auth.identify(call.headers)
        trace.caller = caller.id
        # 2. Which model? Whatever is no route of ours is denied, whether or not the server behind knows it.
        path = call.path
        if path == "/v2" and call.method == "GET":
            return _said({"name": "bartizan", "version": "2", "extensions": ["binary_tensor_data"]})
        found = _ROUTE.fullmatch(path) or _PLAIN.fullmatch(path)
        if found is None:
            raise UnknownModel("This route is not served here: management, repository, shared memory, trace.")
        model = self._models.get(found["model"])
        version = found.groupdict().get("version")
        if model is None or (version and version != model.settings.version):
            raise UnknownModel(f"No such model, or no such version of it: {found['model']!r}")
        trace.model = model.settings.name
        asks = found["what"] in ("/infer", ":predict")
        if call.method != ("POST" if asks else "GET"):
            return await failed(gate, trace, DIALECT.error(405, "method_not_allowed", f"Not {call.method[:20]} here."))
        # 3. What is asked? It is turned into arrays and fits the model's contract, or it is refused.
        form: Form = Plain() if found["what"] == ":predict" else V2()
        request = _read(model, form, call) if asks else Request(())
        rows = model.contract.rows(request.inputs) if asks else 0
        # 4. May this caller ask that, and can every limit bear it? An example counts as one input token.
        asked = Asked(Prompt(model.settings.name, ()), counted=rows)
        booking = await admitted(gate, DIALECT, asked, call, caller)
        if isinstance(booking, Turned):
            trace.block("block", booking.why)
            return await failed(gate, trace, booking.said, booking.headers)
        try:
            if not asks:
                return await self._told(model, found["what"], booking)
            return await self._predicted(gate, trace, _Question(model, form, request, call.address), booking)
        finally:
            booking.returned()

    async def _predicted(self, gate: Gate, trace: Trace, question: _Question, booking: Booking) -> Answer:
        # 5. Does it look like a step of an attack that feels its way by many questions? Does its caller copy the model?
        model, request, name = question.model, question.request, question.model.settings.name
        features = model.contract.features(request.inputs) if model.contract.is_fixed else np.zeros((0, 0), np.float32)
        now_s = gate.clock.wall_ns() / 1e9
        suspicion = await self.watch.look(name, features, trace.caller, now_s)
        standing = self.copying.standing(name, trace.caller, question.address, now_s)
        trace.output_findings = [finding(suspicion)] if suspicion.answer else []
        trace.output_findings += [standing.finding()] if standing.answer else []
        least = harsher(suspicion.answer, standing.answer)
        if least in ("block", "suspend"):
            trace.block("block", suspicion.why if least == suspicion.answer else standing.why)
            return await failed(gate, trace, DIALECT.error(403, "refused", "This request was refused."))
        # 6. Ask the model server, in words of ours.
        rows = len(request.inputs[0].values)
        target, headers, body = model.asking(request.inputs)
        answer = await booking.sending(model.upstream.send("POST", target, trace.told(headers), body, name))
        trace.upstream, trace.status = answer.source, answer.status
        said = await model.read(answer, rows)
        sure = Prediction(_probabilities(model, said), said.labels)
        await self.copying.learn(name, (trace.caller, question.address), features, sure, now_s)
        # 7. How much of it leaves for this caller?
        release = self.watch.release(name, least, self._releases.of(trace.caller, name))
        leaving = said
        if release is not None and release.mislead:
            strange = self.copying.strange(name, features, said.labels)
            sure = misled(release, features, sure, strange, model.settings.classes)
            leaving = Prediction(None, sure.labels)
            trace.output_findings += [misinformed(int(strange.sum()), rows)] if strange.any() else []
        if release is not None and sure.scores is not None:
            leaving = Prediction(release.apply(features, sure.scores), sure.labels)
        # 8. Write it down, then answer.
        content, kind = question.form.write(model.settings, request, leaving)
        trace.usage, trace.answer_bytes, trace.outcome = Usage(rows, 0), len(content), "answered"
        booking.settle(trace.usage)
        trace.charged = booking.charged
        receipt = await recorded(gate, trace)
        return Answer(200, [*kind, *booking.headers, *our_headers(trace, receipt)], content)

    async def _told(self, model: Model, what: str, booking: Booking) -> Answer:
        if not what:
            return _said(model.contract.metadata())
        answer = await booking.sending(model.upstream.send("GET", f"{model.target}/ready", [], b""))
        await whole(answer)
        ready = answer.status == 200
        return _said({"name": model.settings.name, "ready": ready}, 200 if ready else 503)

    def _health(self, gate: Gate, path: str) -> Answer:
        if path.endswith("live"):
            return _said({"live": True})
        works = not gate.evidence.failed
        return _said({"ready": works}, 200 if works else 503)


def _probabilities(model: Model, said: Prediction) -> Array | None:
    if said.scores is None or model.settings.score_kind == "probabilities":
        return said.scores
    return softmax(said.scores)


def _read(model: Model, form: Form, call: Call) -> Request:
    if len(call.body) > model.settings.body_bytes:
        raise BadRequest(f"request body of {len(call.body)} bytes: expected at most {model.settings.body_bytes}")
    for name, value in call.headers:
        if name == b"content-encoding" and value.lower() != b"identity":
            raise BadRequest("compressed request bodies are not taken: what is not read cannot be checked")
    return form.read(model.settings, call.headers, call.body)


def _said(document: object, status: int = 200) -> Answer:
    return Answer(status, [_JSON], msgspec.json.encode(document))
