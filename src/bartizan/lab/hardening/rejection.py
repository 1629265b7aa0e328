"""Saying nothing instead of something wrong: wrappers whose last class means "I do not answer".

Three tests, each with its threshold from a budget of false alarms on clean data (split conformal calibration): the
model's confidence, the stability of its answer when the input is perturbed, and how ordinary its features are. All
are differentiable, so an attacker can climb over them, and our attacks do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

from bartizan.core.errors import BadSettings
from bartizan.lab.target import Access, Array, Target

Tensor = torch.Tensor
Perturbation = Callable[[Tensor], Tensor]


def threshold(scores: Tensor, budget: float) -> float:
    """Return t so that a clean input's score falls below t with chance at most `budget` (0..1).

    `scores` (n,) come from clean calibration data that the model was not trained on; larger means more ordinary. The
    guarantee is that of split conformal prediction: over calibration sets, for inputs exchangeable with them.
    """
    needed = 1 / budget - 1 if 0 < budget < 1 else float("inf")
    if len(scores) < needed:
        raise BadSettings(
            f"{len(scores)} calibration examples for a budget of {budget:g}: expected a budget between 0 and 1, "
            f"and at least {needed:.0f} examples",
            hint="Give more clean examples, or allow more false alarms.",
        )
    rank = int(budget * (len(scores) + 1))  # the rank-th smallest score: at most `rank` of n + 1 fall below it
    return float(scores.sort().values[rank - 1])


class Confident(torch.nn.Module):
    """Answers only where the largest probability reaches `floor` (0..1)."""

    def __init__(self, inner: torch.nn.Module, floor: float) -> None:
        """Wrap `inner`, a module to logits."""
        super().__init__()
        self.inner, self.floor = inner, floor

    @staticmethod
    def score(inner: torch.nn.Module, x: Tensor) -> Tensor:
        """Return the largest probability of each input, (n,): what `floor` is calibrated on."""
        confidence: Tensor = inner(x).softmax(1).amax(1)
        return confidence

    def forward(self, x: Tensor) -> Tensor:
        """Return log probabilities and, last, log `floor`: silence wins exactly where no class reaches it."""
        logs = F.log_softmax(self.inner(x), 1)
        silence = torch.full((len(x), 1), self.floor).clamp_min(1e-12).log()
        return torch.cat([logs, silence], 1)


class Stable(torch.nn.Module):
    """Answers only where the answer survives small changes of the input: the input-perturbation test."""

    def __init__(self, inner: torch.nn.Module, changes: tuple[Perturbation, ...], floor: float) -> None:
        """Wrap `inner`; `floor` bounds the mean probability that changed inputs keep giving the answer."""
        super().__init__()
        self.inner, self.changes, self.floor = inner, changes, floor

    @staticmethod
    def score(inner: torch.nn.Module, changes: tuple[Perturbation, ...], x: Tensor) -> Tensor:
        """Return the mean probability of the unchanged answer over the changed inputs, (n,)."""
        said = inner(x).argmax(1, keepdim=True)
        kept = [inner(change(x)).softmax(1).gather(1, said)[:, 0] for change in changes]
        return torch.stack(kept).mean(0)

    def forward(self, x: Tensor) -> Tensor:
        """Return log probabilities and, last, a logit that wins exactly where stability is below `floor`."""
        logs = F.log_softmax(self.inner(x), 1)
        return _with_silence(logs, self.floor - self.score(self.inner, self.changes, x))


class Ordinary(torch.nn.Module):
    """Answers only where the features look like those of clean data: Gaussian classes, tied covariance.

    The score is minus the smallest squared Mahalanobis distance to a class mean (Lee et al., NeurIPS 2018).
    """

    def __init__(self, inner: torch.nn.Module, features: Callable[[Tensor], Tensor], floor: float = 0.0) -> None:
        """Wrap `inner`; `features` maps inputs to (n, d). Call `fit` before use."""
        super().__init__()
        self.inner, self.features, self.floor = inner, features, floor
        self._means, self._whiten = torch.zeros(0), torch.zeros(0)

    def fit(self, x: Tensor, y: Tensor) -> Ordinary:
        """Learn class means and the covariance of clean training data."""
        with torch.no_grad():
            values = self.features(x).double()
            groups = [values[y == label] for label in torch.unique(y)]
            means = torch.stack([group.mean(0) for group in groups])
            centred = torch.cat([group - group.mean(0) for group in groups])
            spread = centred.T @ centred / len(centred)
            spread += 1e-3 * spread.diagonal().mean() * torch.eye(len(spread), dtype=spread.dtype)
            size, axes = torch.linalg.eigh(spread)
            self._whiten = (axes / size.sqrt()).float()
            self._means = means.float() @ self._whiten
        return self

    def score(self, x: Tensor) -> Tensor:
        """Return minus the squared distance to the nearest class, per dimension, (n,)."""
        white = self.features(x) @ self._whiten
        apart = (white[:, None] - self._means[None]).square().mean(2)
        return -apart.amin(1)

    def forward(self, x: Tensor) -> Tensor:
        """Return log probabilities and, last, a logit that wins exactly where the features are too unusual."""
        logs = F.log_softmax(self.inner(x), 1)
        return _with_silence(logs, self.floor - self.score(x))


def last_features(inner: torch.nn.Module) -> Callable[[Tensor], Tensor]:
    """Return a function from inputs to what goes into the last linear layer that `inner` calls, (n, d), with gradients.

    Raises BadSettings, when called, where no linear layer is met.
    """
    linear = [layer for layer in inner.modules() if isinstance(layer, torch.nn.Linear)]

    def features(x: Tensor) -> Tensor:
        met: list[Tensor] = []
        hooks = [layer.register_forward_pre_hook(lambda _, given: met.append(given[0])) for layer in linear]
        try:
            inner(x)
        finally:
            for hook in hooks:
                hook.remove()
        if not met:
            raise BadSettings(
                f"{type(inner).__name__} ends in no torch.nn.Linear, whose inputs would be its features",
                hint="Use another test, or calibrated_ordinary with a function of your own from inputs to features.",
            )
        return met[-1].flatten(1)

    return features


def _with_silence(logs: Tensor, excess: Tensor) -> Tensor:
    """Append a logit that beats every class exactly where `excess` (n,) is above 0."""
    return torch.cat([logs, (logs.amax(1) + 10 * excess)[:, None]], 1)


def image_changes(seed: int = 0, noise: float = 0.1) -> tuple[Perturbation, ...]:
    """Return small changes of images (n, c, h, w): fixed noise twice, a blur, a shift by one pixel each way."""

    def noisy(number: int) -> Perturbation:
        def change(x: Tensor) -> Tensor:
            draw = torch.Generator().manual_seed(seed + number)
            return (x + noise * torch.randn(x.shape[1:], generator=draw)).clamp(0, 1)

        return change

    def blurred(x: Tensor) -> Tensor:
        return F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)

    def shifted(step: int) -> Perturbation:
        return lambda x: torch.roll(x, step, -1)

    return (noisy(1), noisy(2), blurred, shifted(1), shifted(-1))


def calibrated_confident(inner: torch.nn.Module, clean: Tensor, budget: float) -> Confident:
    """Return `inner` behind the confidence test with at most `budget` false alarms on data like `clean`."""
    with torch.no_grad():
        return Confident(inner, threshold(Confident.score(inner, clean), budget))


def calibrated_stable(
    inner: torch.nn.Module, clean: Tensor, budget: float, changes: tuple[Perturbation, ...] | None = None
) -> Stable:
    """Return `inner` behind the input-perturbation test with at most `budget` false alarms on data like `clean`."""
    changes = changes or image_changes()
    with torch.no_grad():
        return Stable(inner, changes, threshold(Stable.score(inner, changes, clean), budget))


def calibrated_ordinary(
    inner: torch.nn.Module,
    features: Callable[[Tensor], Tensor],
    train: tuple[Tensor, Tensor],
    clean: Tensor,
    budget: float,
) -> Ordinary:
    """Return `inner` behind the feature test; `clean` must not be among the training data."""
    module = Ordinary(inner, features).fit(*train)
    with torch.no_grad():
        module.floor = threshold(module.score(clean), budget)
    return module


def confident_target(target: Target, clean: Any, budget: float) -> Target:
    """Return any target that gives scores behind the confidence test: for models whose weights are not at hand."""
    return behind(target, threshold(torch.from_numpy(target.probabilities(clean).max(axis=1)), budget))


def behind(target: Target, floor: float) -> Target:
    """Return a target that gives scores with one class more, which means that none reached `floor` (0..1)."""

    def predict(x: Any) -> Array:
        found = target.probabilities(x)
        return np.concatenate([found, np.full((len(found), 1), floor)], axis=1)

    traits = replace(target.traits, classes=target.classes + 1, score_kind="probabilities", abstains=True)
    module = Confident(target.module, floor) if target.access is Access.WHITE_BOX else None
    guarded = Target(f"{target.name} with a confidence threshold", predict, target.spec, traits, module=module)
    guarded.notes = target.notes
    return guarded
