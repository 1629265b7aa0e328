"""One model behind the gateway: asks its server in the protocol's words and reads back scores and labels.

Whatever the server says that is not what was asked for is its failure: it never reaches the client.
"""

from dataclasses import dataclass

import numpy as np

from bartizan.core.errors import BadRequest, UpstreamFailed
from bartizan.core.sections.predict import PredictModel
from bartizan.gateway.predict.contract import Contract
from bartizan.gateway.predict.tensors import Array, Tensor, head_length, read_answer, written
from bartizan.gateway.upstream import Answering, Headers, Upstream

_ANSWER_BYTES = 268435456


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model said of n examples: scores (n, classes) float64 or None, labels (n,) int64."""

    scores: Array | None
    labels: Array


@dataclass(frozen=True, slots=True)
class Model:
    """A model: what it may be asked, and where it is."""

    settings: PredictModel
    contract: Contract
    upstream: Upstream

    @property
    def target(self) -> str:
        """Return the path of the model on its server."""
        version = f"/versions/{self.settings.version}" if self.settings.version else ""
        return f"/v2/models/{self.settings.upstream_name or self.settings.name}{version}"

    def asking(self, inputs: tuple[Tensor, ...]) -> tuple[str, Headers, bytes]:
        """Return path, headers and body of the request to the model server, written anew from what was checked."""
        binary = self.settings.encoding == "binary"
        nan = any(tensor.values.dtype.kind == "f" and np.isnan(tensor.values).any() for tensor in inputs)
        names = [name for name in (self.settings.scores, self.settings.label) if name]
        form = [{"name": name, **({"parameters": {"binary_data": True}} if binary else {})} for name in names]
        body, headers = written(inputs, [binary or nan] * len(inputs), "inputs", {"outputs": form})
        return f"{self.target}/infer", headers, body

    async def ask(self, inputs: tuple[Tensor, ...]) -> Prediction:
        """Return what the model says of `inputs` that fit its contract. Raises UpstreamFailed."""
        target, headers, body = self.asking(inputs)
        answer = await self.upstream.send("POST", target, headers, body, self.settings.name)
        return await self.read(answer, len(inputs[0].values))

    async def read(self, answer: Answering, rows: int) -> Prediction:
        """Return the prediction for `rows` examples. Raises UpstreamFailed for anything else."""
        body = await whole(answer)
        if answer.status != 200:
            raise UpstreamFailed(f"model {self.settings.name}: status {answer.status}: {body[:200]!r}")
        try:
            outputs = read_answer(body, head_length(answer.headers, body), rows * (self.settings.classes + 1))
        except BadRequest as error:
            raise UpstreamFailed(f"model {self.settings.name}: {error}") from error
        return self._prediction(outputs, rows)

    def _prediction(self, outputs: dict[str, Tensor], rows: int) -> Prediction:
        name, classes = self.settings.name, self.settings.classes
        scores: Array | None = None
        if self.settings.scores:
            found = outputs.get(self.settings.scores)
            if found is None or found.values.shape != (rows, classes) or found.values.dtype.kind != "f":
                raise UpstreamFailed(f"model {name}: no output {self.settings.scores!r} of shape [{rows}, {classes}]")
            scores = found.values.astype(np.float64)
            if not np.isfinite(scores).all():
                raise UpstreamFailed(f"model {name}: scores that are NaN or infinite")
            if self.settings.score_kind == "probabilities" and (scores < -1e-6).any():
                raise UpstreamFailed(f"model {name}: probabilities below 0")
        if not self.settings.label:
            return Prediction(scores, np.asarray(np.zeros(rows) if scores is None else scores.argmax(axis=1), np.int64))
        said = outputs.get(self.settings.label)
        if said is None or said.values.size != rows or said.values.dtype.kind not in "iu":
            raise UpstreamFailed(f"model {name}: no output {self.settings.label!r} of {rows} whole numbers")
        labels = said.values.reshape(rows).astype(np.int64)
        if labels.min() < 0 or labels.max() >= classes:
            raise UpstreamFailed(f"model {name}: labels outside 0..{classes - 1}")
        return Prediction(scores, labels)


async def whole(answer: Answering) -> bytes:
    """Return all of an answer's body. Raises UpstreamFailed when it is cut short or far too long."""
    pieces, size = [], 0
    try:
        while piece := await answer.read():
            pieces.append(piece)
            size += len(piece)
            if size > _ANSWER_BYTES:
                raise UpstreamFailed(f"answer of more than {_ANSWER_BYTES} bytes")
    finally:
        answer.release()
    return b"".join(pieces)


def softmax(logits: Array) -> Array:
    """Return the probabilities of logits (n, classes)."""
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))
