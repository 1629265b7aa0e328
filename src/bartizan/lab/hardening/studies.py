"""Hardens a torch module in one of three ways and measures it before and after with attacks that know what was done.

`trained_on_attacks` is adversarial training; `smoothed` trains under noise, certifies test examples and attacks the
certificates; `rejecting` puts a calibrated test in front of the answers, and half of the test data is only for that.
With a folder to keep things in, a study that was stopped goes on: trainings step by step, attacks and certificates part
by part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from bartizan.core.errors import BadSettings
from bartizan.core.measures import Measurement, proportion
from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.certificates import Tested, attack_certificates
from bartizan.lab.evasion.parts import Kept, run_in_parts
from bartizan.lab.evasion.suite import QUICK, Attacked, run_suite
from bartizan.lab.hardening.adversarial_training import Recipe, trained
from bartizan.lab.hardening.checkpoints import Checkpoint
from bartizan.lab.hardening.outcome import Outcome
from bartizan.lab.hardening.rejection import (
    Confident,
    Ordinary,
    Stable,
    calibrated_confident,
    calibrated_ordinary,
    calibrated_stable,
    last_features,
)
from bartizan.lab.hardening.shelf import Shelf, digest
from bartizan.lab.hardening.smoothing import ABSTAIN, Certificate, Smoothed
from bartizan.lab.labelled import Labelled
from bartizan.lab.target import Array, Arrays, Target
from bartizan.lab.targets.torch_modules import of_module

Progress = Callable[[str, int, int], None]
By = Literal["confidence", "stability", "features"]
_SCORE = {"confidence": "confidence", "stability": "stability", "features": "likeness to clean features"}
_ATTACKS = (*QUICK, Apgd("targeted", 30, aims=3))
_RADII = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
"""Where the certified curve is read, in deviations of the noise."""
_FITTED = 10_000
"""Training examples, at most, that the test of features learns from."""
_PART = 50
"""Certificates that are kept together."""
_FEW = 5
"""Epochs, at most, of the plain module that a module made from scratch is compared with."""


@dataclass(frozen=True)
class Study:
    """What is hardened, on which data, against which bound."""

    factory: Callable[[], torch.nn.Module]
    weights: torch.nn.Module | None
    """A module with weights to start from; None: from scratch."""
    train: Labelled
    test: Labelled
    spec: Arrays
    ball: Ball
    seed: int
    progress: Progress = lambda what, done, total: None
    kept: Path | None = None
    """Where unfinished work is kept, if anywhere."""

    def made(self) -> torch.nn.Module:
        """Return a new module; its first weights follow from the seed."""
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(self.seed)
            return self.factory()

    def trained(self, module: torch.nn.Module, recipe: Recipe) -> torch.nn.Module:
        """Return the module trained by `recipe`, in place; a training that was stopped goes on."""
        return trained(module, self.train, self.spec, recipe, self.progress, Checkpoint(self.kept))

    def plain(self, recipe: Recipe) -> torch.nn.Module:
        """Return what was there before: the module with its weights, or one trained the usual way."""
        if self.weights is not None:
            return self.weights
        return self.trained(self.made(), replace(recipe, method="none", epochs=min(recipe.epochs, _FEW)))

    def hardened(self, recipe: Recipe) -> torch.nn.Module:
        """Return the module trained by `recipe`, from its weights where there are any."""
        return self.trained(self.weights if self.weights is not None else self.made(), recipe)

    def target(self, name: str, module: torch.nn.Module, *, abstains: bool = False) -> Target:
        """Return the module as an attacker sees it."""
        with torch.inference_mode():
            known = int(module(torch.from_numpy(self.test.x[:1])).shape[1])
        if int(self.test.y.max()) >= known - abstains:
            raise BadSettings(f"test data hold class {int(self.test.y.max())}, the module knows 0..{known - 1}")
        return of_module(name, module, self.spec, classes=known, abstains=abstains)

    def attacked(self, name: str, module: torch.nn.Module, *, abstains: bool = False) -> tuple[Problem, Attacked]:
        """Attack the module on the test data."""
        x, y = torch.from_numpy(self.test.x), torch.from_numpy(self.test.y)
        problem = Problem(self.target(name, module, abstains=abstains), self.ball, x, y, self.seed)
        if self.kept is None:
            return problem, run_suite(problem, _ATTACKS, self.progress)
        return problem, run_in_parts(problem, _ATTACKS, Kept(self.kept), self.progress)


def trained_on_attacks(study: Study, recipe: Recipe) -> tuple[torch.nn.Module, Outcome]:
    """Return the module trained on attacks by `recipe`, and its accuracy before and after."""
    before = study.attacked("before", study.plain(recipe))[1]
    module = study.hardened(recipe)
    after = study.attacked("after", module)[1]
    how = f"Trained on attacks ({recipe.method}), {recipe.epochs} epochs; both attacked within {study.ball}."
    return module, Outcome(how, _accuracies(before), _accuracies(after), facts={"recipe": asdict(recipe)})


def smoothed(study: Study, recipe: Recipe, samples: int) -> tuple[torch.nn.Module, Outcome]:
    """Return the module trained under noise, to be asked through `Smoothed`, and what was certified of the test data.

    `samples` noisy copies of each example vote on a certificate, each wrong with chance 0.001 at most.
    """
    if recipe.method != "noise" or samples < 100:
        raise BadSettings(f"method {recipe.method}, {samples} samples: expected noise, and 100 or more")
    before = study.attacked("before", study.plain(recipe))[1]
    module = study.hardened(recipe)
    tested = _tested(study, Smoothed(module, recipe.sigma, seed=study.seed), samples)
    points = [(size * recipe.sigma, _right(study, tested, size * recipe.sigma)) for size in _RADII]
    after = {"clean_accuracy": points[0][1]}
    if tested.certified:
        broken = proportion(sum(tested.broken), tested.certified, seed=study.seed)
        after["certificates broken by an attack"] = broken
    return module, Outcome(
        f"Trained under noise of deviation {recipe.sigma:g}, {recipe.epochs} epochs, and asked through the votes of "
        f"{samples} noisy copies; before it was attacked within {study.ball}.",
        _accuracies(before),
        after,
        points,
        {"recipe": asdict(recipe), "samples": samples, "certified_examples": tested.certified},
        (f"Ask it as bartizan.lab.hardening.smoothing.Smoothed(module, sigma={recipe.sigma:g}); "
         "the certificates are of L2 distances and say nothing about other norms.",),
    )  # fmt: skip


def rejecting(study: Study, recipe: Recipe, by: By, budget: float) -> tuple[torch.nn.Module, Outcome]:
    """Return the module as it is, and what a test with at most `budget` false alarms on clean inputs makes of it.

    The threshold comes from the second half of the test data; everything is measured on the first.
    """
    module = study.weights
    if module is None:
        module = study.trained(study.made(), replace(recipe, method="none"))
    half = len(study.test) // 2
    clean = torch.from_numpy(study.spec.checked(study.test.part(half, len(study.test)).x))
    study = replace(study, test=study.test.first(half))
    guard = _guard(study, module, clean, by, budget)
    problem, before = study.attacked("before", module)
    guarded, after = study.attacked("after", guard, abstains=True)
    silence = guarded.target.classes - 1
    said = guarded.target.labels(problem.x.numpy())
    fell = before.fooled & (before.adversarial != problem.x).flatten(1).any(1)
    stopped = guarded.target.labels(before.adversarial[fell].numpy()) == silence if fell.any() else np.zeros(0)
    figures: dict[str, Measurement] = {
        "clean_accuracy": proportion(int((said == problem.y.numpy()).sum()), half, seed=study.seed),
        "robust_accuracy": after.robust,
        "clean inputs left without an answer": proportion(int((said == silence).sum()), half, seed=study.seed),
    }
    if len(stopped):
        careless = proportion(int(stopped.sum()), len(stopped), seed=study.seed)
        figures["attacks of one who does not know of it that are stopped"] = careless
    return module, Outcome(
        f"Silent where its {_SCORE[by]} is below {guard.floor:.6g}: at most {budget:.2%} of clean inputs, calibrated "
        f"on {len(clean)}. Attacked within {study.ball} by one who knows the test; silence is no win for him.",
        _accuracies(before),
        figures,
        facts={"by": by, "floor": guard.floor, "false_alarms": budget, "recipe": asdict(recipe)},
        notes=("Under attack an input counts as standing when its answer is right or there is none.",),
    )


def _tested(study: Study, around: Smoothed, samples: int) -> Tested:
    """Certify the test data and attack the certificates, `_PART` examples at a time."""
    x, shelf = torch.from_numpy(study.test.x), Shelf(study.kept)
    weights = digest(around.sigma, str(around.inner), *(value.numpy() for value in around.inner.state_dict().values()))
    labels, radii, broken = [], [], []
    for start in range(0, len(x), _PART):
        some = x[start : start + _PART]

        def make(some: torch.Tensor = some, start: int = start) -> dict[str, Array]:
            def told(what: str, done: int, total: int) -> None:
                del total
                study.progress(what, start + done, len(x))

            tested = attack_certificates(around, some, study.spec, study.seed + start, samples, told)
            return {
                "labels": np.array([one.label for one in tested.certificates]),
                "radii": np.array([one.radius for one in tested.certificates]),
                "broken": np.array(tested.broken),
            }

        found = shelf.arrays("certificates", (weights, some.numpy(), study.spec, study.seed + start, samples), make)
        labels += found["labels"].tolist()
        radii += found["radii"].tolist()
        broken += found["broken"].tolist()
    certificates = tuple(Certificate(label, radius) for label, radius in zip(labels, radii, strict=True))
    return Tested(certificates, tuple(broken))


def _guard(
    study: Study, module: torch.nn.Module, clean: torch.Tensor, by: By, budget: float
) -> Confident | Stable | Ordinary:
    """Return the module behind the test `by`, calibrated on `clean`."""
    if by == "confidence":
        return calibrated_confident(module, clean, budget)
    if by == "stability":
        if clean.dim() != 4:
            raise BadSettings(
                f"stability changes images (channels, height, width) a little, and one example is {clean.shape[1:]}",
                hint="Use --by confidence or --by features, or calibrated_stable with changes of your own.",
            )
        return calibrated_stable(module, clean, budget)
    rows = np.random.default_rng(study.seed).permutation(len(study.train))[:_FITTED]
    x, y = study.spec.checked(study.train.x[rows]), study.train.y[rows]
    known = torch.from_numpy(x), torch.from_numpy(y)
    return calibrated_ordinary(module, last_features(module), known, clean, budget)


def _accuracies(found: Attacked) -> dict[str, Measurement]:
    return {"clean_accuracy": found.clean, "robust_accuracy": found.robust}


def _right(study: Study, tested: Tested, radius: float) -> Measurement:
    """Return the share of test examples whose certified class is right and holds within `radius`."""
    hits = sum(
        one.label != ABSTAIN and one.label == label and one.radius >= radius
        for one, label in zip(tested.certificates, study.test.y, strict=True)
    )
    return proportion(hits, len(study.test), seed=study.seed)
