"""One face for every predictive model under test: torch, scikit-learn, ONNX, HTTP, a Python callable.

A `Target` says what the attacker may see (weights, scores, labels), checks what it is given, and counts every row that
is asked. It never trains, never attacks and never decides whether an attack worked. Loaders are in `lab/targets/`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bartizan.core.errors import BadRequest, BadSettings, Refused, UpstreamFailed

if TYPE_CHECKING:
    import torch

Array = np.ndarray[Any, Any]


class Access(IntEnum):
    """What an attacker sees of the model, from least to most."""

    LABELS = 1
    SCORES = 2
    WHITE_BOX = 3


@dataclass(frozen=True)
class Arrays:
    """Numeric inputs: the shape of ONE example and the range its values may have (None: no bound).

    `shape` may hold None where any size goes. `low` and `high` are numbers, or arrays that broadcast to the shape.
    """

    shape: tuple[int | None, ...]
    low: float | Array | None = None
    high: float | Array | None = None

    def checked(self, x: Any) -> Array:
        """Return `x` as a float32 batch (n, *shape). Raises BadRequest that says what was expected and got."""
        data = np.asarray(x)
        if data.dtype.kind not in "fiub":
            raise BadRequest(f"input of dtype {data.dtype}: expected numbers (float, integer or boolean)")
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as such
            data = np.require(data, dtype=np.float32, requirements=["C", "W"])
        want = ("n", *("any" if size is None else size for size in self.shape))
        if data.ndim != len(self.shape) + 1 or any(
            size is not None and size != got for size, got in zip(self.shape, data.shape[1:], strict=True)
        ):
            raise BadRequest(
                f"input of shape {data.shape}: expected ({', '.join(map(str, want))})",
                hint="The first axis counts the examples: one example x is passed as x[None].",
            )
        if data.size:
            self._check_values(data, data.min(), data.max())
        return data

    def _check_values(self, data: Array, smallest: float, largest: float) -> None:
        """Refuse NaN, infinity and what is out of range; two extremes tell it: attacks ask thousands of times."""
        if not (np.isfinite(smallest) and np.isfinite(largest)):  # beside a NaN they are NaN
            raise BadRequest(f"input holds {int((~np.isfinite(data)).sum())} values that are NaN or infinite")
        slack = 1e-5
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        if np.all(smallest >= low - slack) and np.all(largest <= high + slack):
            return
        outside = (data < low - slack) | (data > high + slack)
        if outside.any():
            raise BadRequest(
                f"{int(outside.sum())} input values outside {_range(self.low)}..{_range(self.high)}: "
                f"got {smallest:g}..{largest:g}",
                hint="Scale the data the way the model was trained, or state its range.",
            )

    def bounds(self) -> tuple[Array, Array]:
        """Return low and high as float32 arrays that broadcast to a batch; infinite where there is no bound."""
        low = np.asarray(-np.inf if self.low is None else self.low, dtype=np.float32)
        high = np.asarray(np.inf if self.high is None else self.high, dtype=np.float32)
        return low, high


@dataclass(frozen=True)
class Texts:
    """Inputs are strings of at most `longest` characters."""

    longest: int = 100_000

    def checked(self, x: Any) -> list[str]:
        """Return `x` as a list of strings. Raises BadRequest."""
        if isinstance(x, str):
            raise BadRequest("one string where a sequence of strings was expected", hint="Pass [text].")
        texts = list(x)
        for number, text in enumerate(texts):
            if not isinstance(text, str) or len(text) > self.longest:
                what = f"{len(text)} characters" if isinstance(text, str) else type(text).__name__
                raise BadRequest(f"input {number}: expected a string of at most {self.longest} characters, got {what}")
        return texts


Spec = Arrays | Texts
ScoreKind = Literal["logits", "probabilities"]
Predict = Callable[[Any], Array]


@dataclass
class Counter:
    """How much was asked. Shared between all views of one model."""

    queries: int = 0
    """Rows answered (forward passes)."""
    gradients: int = 0
    """Rows differentiated (backward passes)."""
    limit: int | None = None
    """No more rows than this are ever asked; None: no limit."""

    def take(self, rows: int) -> None:
        """Spend `rows`. Raises Refused when that would pass the limit."""
        if self.limit is not None and self.queries + rows > self.limit:
            raise Refused(
                f"{rows} more queries after {self.queries}: the limit of this run is {self.limit}",
                hint="Raise --max-queries, or attack fewer examples.",
            )
        self.queries += rows


@dataclass(frozen=True)
class Traits:
    """What a model gives, and how it is asked."""

    classes: int
    access: Access = Access.SCORES
    score_kind: ScoreKind = "probabilities"
    abstains: bool = False
    """The last class means "I do not answer": an attack that ends there has not won."""
    batch: int = 512
    """Rows asked at a time."""


class Target:
    """A model as an attacker meets it.

    `predict` gives scores (n, classes), or labels (n,) of integers when access is LABELS. With WHITE_BOX, `module` is a
    torch module from a float32 batch to logits (n, classes) that agrees with `predict`.
    """

    def __init__(
        self,
        name: str,
        predict: Predict,
        spec: Spec,
        traits: Traits,
        *,
        module: torch.nn.Module | None = None,
        counter: Counter | None = None,
    ) -> None:
        """Describe the model. Raises BadSettings for fewer than 2 classes, or white-box access without a module."""
        if traits.classes < 2:
            raise BadSettings(f"{name}: {traits.classes} classes, expected at least 2")
        if traits.access is Access.WHITE_BOX and module is None:
            raise BadSettings(f"{name}: white-box access needs a torch module that gives gradients")
        self.name = name
        self.spec = spec
        self.traits = traits
        self.counter = counter or Counter()
        self.notes: tuple[str, ...] = ()
        """What a reader of results should know, for instance why there are no gradients."""
        self._predict = predict
        self._module = module
        self._around = False

    @property
    def classes(self) -> int:
        """Return how many classes it tells apart, the one that means "no answer" included."""
        return self.traits.classes

    @property
    def access(self) -> Access:
        """Return what the attacker sees."""
        return self.traits.access

    @property
    def queries(self) -> int:
        """Return how many rows were asked so far."""
        return self.counter.queries

    def scores(self, x: Any) -> Array:
        """Return what the model says about each row: float64 (n, classes), of `score_kind`. Needs SCORES."""
        self._need(Access.SCORES, "scores")
        return self._scores(self.spec.checked(x))

    def probabilities(self, x: Any) -> Array:
        """Return scores as probabilities: logits through softmax, probabilities as they are. Needs SCORES."""
        scores = self.scores(x)
        return softmax(scores) if self.traits.score_kind == "logits" else scores

    def log_scores(self, x: Any) -> Array:
        """Return logits, or log-probabilities where the model gives probabilities: differences mean the same."""
        scores = self.scores(x)
        return scores if self.traits.score_kind == "logits" else np.log(np.clip(scores, 1e-12, None))

    def labels(self, x: Any) -> Array:
        """Return the predicted class of each row, int64 (n,)."""
        rows = self.spec.checked(x)
        if self.access is not Access.LABELS:
            return np.asarray(self._scores(rows).argmax(axis=1), dtype=np.int64)
        want = f"(n,) labels of 0..{self.classes - 1}"
        said = self._asked(rows, lambda said, n: said.shape == (n,), want)
        if said.size and not 0 <= said.min() <= said.max() < self.classes:
            raise UpstreamFailed(f"{self.name} answered labels {said.min()}..{said.max()}: expected {want}")
        return np.asarray(said, dtype=np.int64)

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits of a batch with gradients. Needs WHITE_BOX; the rows are counted, and backwards if wanted."""
        self._need(Access.WHITE_BOX, "gradients")
        if self._module is None:
            raise BadSettings(f"{self.name}: no module")
        self.counter.take(len(x))
        if x.requires_grad:
            self.counter.gradients += len(x)
        logits: torch.Tensor = self._module(x)
        return logits

    def through(self, module: torch.nn.Module) -> Target:
        """Return the same model for an attacker who differentiates `module` instead.

        For models with a step that has no useful gradient (Athalye et al., ICML 2018: BPDA), and for models that give
        scores only: `module` is then the attacker's own copy. Whether the attack has won is still asked of the model.
        """
        traits = replace(self.traits, access=Access.WHITE_BOX)
        seen = Target(self.name, self._predict, self.spec, traits, module=module, counter=self.counter)
        seen.notes, seen._around = self.notes, True
        return seen

    def really(self, x: torch.Tensor) -> torch.Tensor | None:
        """Return the model's own log-scores where gradients go through another module; None where they are its own."""
        if not self._around:
            return None
        import torch

        return torch.from_numpy(self.log_scores(x.detach().numpy()).astype(np.float32))

    @property
    def module(self) -> torch.nn.Module:
        """Return the torch module behind this target. Needs WHITE_BOX."""
        self._need(Access.WHITE_BOX, "the weights")
        if self._module is None:
            raise BadSettings(f"{self.name}: no module")
        return self._module

    def seen_with(self, access: Access) -> Target:
        """Return the same model, and the same counter, as an attacker with less access sees it."""
        if access > self.access:
            raise BadSettings(f"{self.name} gives {self.access.name}: it cannot be seen with {access.name}")
        predict = self._predict
        if access is Access.LABELS and self.access is not Access.LABELS:
            full = self._predict

            def predict(x: Any) -> Array:
                return np.asarray(np.argmax(full(x), axis=1))

        module = self._module if access is Access.WHITE_BOX else None
        seen = Target(
            self.name, predict, self.spec, replace(self.traits, access=access), module=module, counter=self.counter
        )
        seen.notes = self.notes
        return seen

    def _need(self, access: Access, what: str) -> None:
        if self.access < access:
            raise BadSettings(
                f"{self.name} gives {self.access.name.lower().replace('_', ' ')} only: {what} cannot be had",
                hint="Use an attack that needs less, or name the model's weights.",
            )

    def _scores(self, rows: Any) -> Array:
        shape = f"(n, {self.classes}) scores"
        said = self._asked(rows, lambda said, n: said.shape == (n, self.classes), shape)
        scores = np.asarray(said, dtype=np.float64)
        if not np.isfinite(scores).all():
            raise UpstreamFailed(f"{self.name} answered NaN or infinity")
        return scores

    def _asked(self, rows: Any, fits: Callable[[Array, int], bool], want: str) -> Array:
        """Ask in batches of `batch` rows and check every answer's shape."""
        self.counter.take(len(rows))
        answers = []
        for start in range(0, len(rows), self.traits.batch):
            some = rows[start : start + self.traits.batch]
            said = np.asarray(self._predict(some))
            if not fits(said, len(some)):
                raise UpstreamFailed(f"{self.name} answered {said.shape} to {len(some)} rows: expected {want}")
            answers.append(said)
        if not answers:
            return np.zeros((0, self.classes) if self.access is not Access.LABELS else (0,))
        return np.concatenate(answers)


def softmax(logits: Array) -> Array:
    """Return the probabilities of logits (n, classes)."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def of_callable(
    name: str,
    function: Callable[[Any], Any],
    spec: Spec,
    *,
    classes: int,
    access: Access = Access.SCORES,
    score_kind: ScoreKind = "probabilities",
) -> Target:
    """Return a target around a Python function from a batch to scores (n, classes) or, with LABELS, to labels (n,)."""
    if access is Access.WHITE_BOX:
        raise BadSettings("a plain function has no gradients: pass a torch module instead")
    return Target(name, lambda x: np.asarray(function(x)), spec, Traits(classes, access, score_kind))


def _range(bound: float | Array | None) -> str:
    if bound is None:
        return "any"
    return f"{bound:g}" if np.ndim(bound) == 0 else f"({np.min(bound):g} to {np.max(bound):g})"
