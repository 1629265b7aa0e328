"""Targets that are scikit-learn estimators. Linear models, multi-layer perceptrons and pipelines of them with simple
scalers are white box: their torch copy is used once it agrees with the estimator. Everything else gives scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.lab.needs import need
from bartizan.lab.target import Access, Array, Arrays, Predict, ScoreKind, Spec, Target, Texts, Traits
from bartizan.lab.targets.agreement import disagreement

_TOLERANCE = 1e-3
_OPTIMIZERS = tuple(f"sklearn.neural_network._stochastic_optimizers.{name}Optimizer" for name in ("Adam", "SGD"))
"""Plain objects of numbers and arrays that a fitted perceptron keeps; skops has them on no list."""
_OURS = tuple(f"bartizan.lab.hardening.estimators.{name}" for name in ("Rejecting", "Spelling"))
"""What hardening puts around an estimator: numbers, words and the estimator itself, which skops looks at in turn."""


def of_estimator(name: str, estimator: Any, spec: Spec | None = None) -> Target:
    """Return a target around a fitted classifier. Classes are numbered in the order of `estimator.classes_`.

    With a spec of `Texts` the estimator is a pipeline that takes strings; it then gives scores or labels, no gradients.
    `Rejecting` gives one class more, which means that it does not answer.
    """
    from bartizan.lab.hardening.estimators import Rejecting
    from bartizan.lab.hardening.rejection import behind

    if isinstance(estimator, Rejecting):
        return behind(of_estimator(name, estimator.estimator_, spec), estimator.floor_)
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        raise BadSettings(f"{name}: {type(estimator).__name__} has no classes_: expected a fitted classifier")
    predict, access, kind = _predictor(estimator, np.asarray(classes), list if isinstance(spec, Texts) else _rows)
    if isinstance(spec, Texts):
        return Target(name, predict, spec, Traits(len(classes), access, kind, batch=4096))
    features = getattr(estimator, "n_features_in_", None)
    spec = spec or Arrays((features,))
    if features is not None and None not in spec.shape and math.prod(map(int, spec.shape)) != features:  # type: ignore[arg-type]
        raise BadSettings(
            f"{name} was fitted on {features} values an example, an example of shape {spec.shape} has "
            f"{math.prod(map(int, spec.shape))}",  # type: ignore[arg-type]
            hint="Name the data that it was made for, or state the shape of one example: --shape 1,28,28.",
        )
    module = torch_copy(estimator) if access is Access.SCORES else None
    off = 0.0 if module is None else disagreement(module, predict, spec, kind)
    module = module if off <= _TOLERANCE else None
    traits = Traits(len(classes), Access.WHITE_BOX if module is not None else access, kind, batch=4096)
    target = Target(name, predict, spec, traits, module=module)
    if off > _TOLERANCE:
        target.notes = (f"the torch copy of {name} differs by {off:.2g} in probability: scores only",)
    return target


def load_skops(path: Path) -> Any:
    """Return the estimator in a skops file. Types outside skops' own trusted list are refused, not asked about.

    But for the optimizers that scikit-learn leaves in every fitted perceptron, and what our own hardening adds.
    """
    io = need("skops.io")
    try:
        unknown = untrusted(path)
        if unknown:
            raise BadArtifact(
                f"{path.name} asks for types that skops does not trust: {', '.join(unknown[:5])}",
                hint="Read what they are; then load the file yourself and name a function: python:module:function.",
            )
        return io.load(path, trusted=[*_OPTIMIZERS, *_OURS])
    except BadArtifact:
        raise
    except Exception as error:
        raise BadArtifact(f"{path.name} is no skops file: {type(error).__name__}: {error}") from error


def untrusted(path: Path) -> list[str]:
    """Return the types in a skops file that are on no list of trusted ones: skops' own, or ours."""
    return [str(kind) for kind in need("skops.io").get_untrusted_types(file=path) if kind not in (*_OPTIMIZERS, *_OURS)]


def _predictor(estimator: Any, classes: Array, given: Callable[[Any], Any]) -> tuple[Predict, Access, ScoreKind]:
    if callable(getattr(estimator, "predict_proba", None)):
        return lambda x: np.asarray(estimator.predict_proba(given(x))), Access.SCORES, "probabilities"
    if callable(getattr(estimator, "decision_function", None)):
        return lambda x: _two_columns(np.asarray(estimator.decision_function(given(x)))), Access.SCORES, "logits"
    order = np.argsort(classes)

    def labels(x: Any) -> Array:
        return np.asarray(order[np.searchsorted(classes, estimator.predict(given(x)), sorter=order)])

    return labels, Access.LABELS, "probabilities"


def _rows(x: Array) -> Array:
    return x.reshape(len(x), -1)


def _two_columns(z: Array) -> Array:
    """A binary decision function is one column: softmax of (0, z) is the logistic of z."""
    return np.stack([np.zeros_like(z), z], axis=1) if z.ndim == 1 else z


def torch_copy(estimator: Any) -> Any:
    """Return a torch module with the estimator's logits, or None where no exact copy is known."""
    nn = need("torch").nn
    name = type(estimator).__name__
    if name == "Pipeline":
        parts = [_scaler(step) for _, step in estimator.steps[:-1]]
        last = torch_copy(estimator.steps[-1][1])
        if last is None or any(part is None for part in parts):
            return None
        return nn.Sequential(*parts, last)
    if name in ("LogisticRegression", "LinearSVC", "SGDClassifier", "RidgeClassifier", "LinearDiscriminantAnalysis"):
        if name == "SGDClassifier" and estimator.loss not in ("log_loss", "hinge"):
            return None
        return nn.Sequential(nn.Flatten(), *_linear(estimator.coef_, estimator.intercept_))
    if name == "MLPClassifier":
        return _perceptron(estimator)
    return None


def _linear(coef: Any, intercept: Any) -> list[Any]:
    """Return the layer of (classes, features) weights; a binary model's one row becomes (0, z)."""
    torch = need("torch")
    coef, intercept = np.atleast_2d(coef), np.broadcast_to(intercept, (len(np.atleast_2d(coef)),))
    if len(coef) == 1:
        coef = np.concatenate([np.zeros_like(coef), coef])
        intercept = np.concatenate([[0.0], intercept])
    layer = torch.nn.Linear(coef.shape[1], coef.shape[0])
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.array(coef, dtype=np.float32)))
        layer.bias.copy_(torch.from_numpy(np.array(intercept, dtype=np.float32)))
    return [layer.requires_grad_(False)]


_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": lambda nn: nn.ReLU(),
    "tanh": lambda nn: nn.Tanh(),
    "logistic": lambda nn: nn.Sigmoid(),
    "identity": lambda nn: nn.Identity(),
}


def _perceptron(estimator: Any) -> Any:
    nn = need("torch").nn
    layers: list[Any] = [nn.Flatten()]
    last = len(estimator.coefs_) - 1
    for number, (weights, bias) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        layers += _linear(weights.T, bias) if number == last else _hidden(weights.T, bias)
        if number < last:
            layers.append(_ACTIVATIONS[estimator.activation](nn))
    return nn.Sequential(*layers)


def _hidden(weights: Any, bias: Any) -> list[Any]:
    """A hidden layer of one unit is not a binary decision: no second row is added."""
    torch = need("torch")
    layer = torch.nn.Linear(weights.shape[1], weights.shape[0])
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.array(weights, dtype=np.float32)))
        layer.bias.copy_(torch.from_numpy(np.array(bias, dtype=np.float32)))
    return [layer.requires_grad_(False)]


def _scaler(step: Any) -> Any:
    """Return a module for an affine preprocessing step, or None for any other."""
    torch = need("torch")
    name = type(step).__name__
    if name == "StandardScaler":
        scale = step.scale_ if step.scale_ is not None else np.ones(step.n_features_in_)
        mean = step.mean_ if step.mean_ is not None else np.zeros(step.n_features_in_)
        return _affine(torch, 1 / scale, -mean / scale)
    if name == "MinMaxScaler" and not step.clip:
        return _affine(torch, step.scale_, step.min_)
    if name == "MaxAbsScaler":
        return _affine(torch, 1 / step.scale_, np.zeros_like(step.scale_))
    return None


def _affine(torch: Any, scale: Any, shift: Any) -> Any:
    layer = torch.nn.Linear(len(scale), len(scale))
    with torch.no_grad():
        layer.weight.copy_(torch.diag(torch.from_numpy(np.asarray(scale, dtype=np.float32))))
        layer.bias.copy_(torch.from_numpy(np.asarray(shift, dtype=np.float32)))
    return torch.nn.Sequential(torch.nn.Flatten(), layer.requires_grad_(False))
