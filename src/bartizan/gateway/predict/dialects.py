"""How clients speak to a predictive model: the Open Inference Protocol v2, and KServe's plain JSON of version 1.

A form reads a request into tensors and writes what leaves; it decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from bartizan.core.errors import BadRequest
from bartizan.core.sections.predict import PredictModel
from bartizan.gateway.predict.model import Prediction
from bartizan.gateway.predict.tensors import Request, Tensor, Wanted, head_length, of_plain, read_request, written
from bartizan.gateway.upstream import Headers
from bartizan.gateway.wires.base import Said


class OpenInference:
    """What limits and records need to know of both forms."""

    name = "open-inference"
    generates = False
    billed = True
    usage_on_request = False
    cap_keys: tuple[str, ...] = ()

    def error(self, status: int, code: str, message: str) -> Said:
        """Return an error as the protocol writes it. Our own texts only: nothing of the model server's."""
        return Said(status, b"application/json", msgspec.json.encode({"error": message, "code": code}))


DIALECT = OpenInference()


class Form(Protocol):
    """One way to write requests and answers."""

    def read(self, model: PredictModel, headers: Headers, body: bytes) -> Request:
        """Return the request. Raises BadRequest."""
        ...

    def write(self, model: PredictModel, request: Request, said: Prediction) -> tuple[bytes, Headers]:
        """Return body and headers of the answer."""
        ...


class V2:
    """`POST /v2/models/NAME/infer`, tensors in JSON or in binary."""

    def read(self, model: PredictModel, headers: Headers, body: bytes) -> Request:
        """Return the request. Raises BadRequest, also when it asks for an output that does not leave."""
        request = read_request(body, head_length(headers, body), model.elements)
        if request.named not in ("", model.name):
            raise BadRequest(f"model_name {request.named[:80]!r}: the address says {model.name!r}")
        known = {name for name in (model.scores, model.label) if name}
        for one in request.wanted:
            if one.name not in known:
                raise BadRequest(f"output {one.name[:80]!r}: expected {' or '.join(sorted(known))}")
        return request

    def write(self, model: PredictModel, request: Request, said: Prediction) -> tuple[bytes, Headers]:
        """Return the outputs that were asked for, each in the form that was asked for."""
        tensors: dict[str, Tensor] = {}
        if model.label:
            tensors[model.label] = Tensor(model.label, "INT64", said.labels)
        if model.scores and said.scores is not None:
            tensors[model.scores] = Tensor(model.scores, "FP32", said.scores)
        wanted = request.wanted or tuple(Wanted(name, request.binary) for name in tensors)
        more: dict[str, Any] = {"model_name": model.name}
        if request.id:
            more["id"] = request.id
        return written([tensors[one.name] for one in wanted], [one.binary for one in wanted], "outputs", more)


class _Instances(msgspec.Struct, forbid_unknown_fields=True):
    instances: list[Any]
    signature_name: str = ""


_INSTANCES = msgspec.json.Decoder(_Instances)


@dataclass(frozen=True, slots=True)
class Plain:
    """`POST /v1/models/NAME:predict` with `{"instances": [...]}`: examples as nested lists, or as objects by input."""

    def read(self, model: PredictModel, headers: Headers, body: bytes) -> Request:
        """Return the request. Raises BadRequest."""
        try:
            instances = _INSTANCES.decode(body).instances
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise BadRequest(f"request body: {str(error)[:200]}") from None
        if not instances or len(instances) > model.rows:
            raise BadRequest(f"{len(instances)} instances: expected 1 to {model.rows}")
        tensors = []
        for entry in model.inputs:
            data = instances
            if any(isinstance(one, Mapping) for one in instances) or len(model.inputs) > 1:
                data = [_named(one, entry.name, len(model.inputs)) for one in instances]
            tensors.append(of_plain(entry.name, entry.datatype, data))
        if sum(tensor.values.size for tensor in tensors) > model.elements:
            raise BadRequest(f"more than {model.elements} numbers in one request")
        return Request(tuple(tensors))

    def write(self, model: PredictModel, request: Request, said: Prediction) -> tuple[bytes, Headers]:
        """Return scores, or labels where the model has no scores."""
        values = said.labels if said.scores is None else said.scores
        return msgspec.json.encode({"predictions": values.tolist()}), [(b"content-type", b"application/json")]


def _named(instance: Any, name: str, inputs: int) -> Any:
    if not isinstance(instance, Mapping) or len(instance) != inputs or name not in instance:
        raise BadRequest(f"instances: expected objects with {inputs} inputs, {name!r} among them")
    return instance[name]
