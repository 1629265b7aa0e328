"""T07: an outsider learns from scores whether a record was in the training set.

The attacker trains models the same way on data of the same kind, runs every attack of `lab/membership` and keeps the
best. The control is training with DP-SGD; the attacker's own models are then trained with it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bartizan.core.measures import AtLeast, AtMost, Measurement, bootstrap
from bartizan.lab.needs import need
from bartizan.threats.base import Claim, Evidence, Threat
from bartizan.threats.bench import Bench

if TYPE_CHECKING:
    from bartizan.lab.membership.study import Study

EPSILON, DELTA, CLIP = 3.0, 1e-3, 0.5
MODELS = 24
RATE = 0.01
BATCH, EPOCHS = 110, 40


def run(bench: Bench) -> Evidence:
    """Study plain and private training of the reference task: medical records, a small network that learns by heart."""
    for module in ("torch", "scipy", "sklearn"):
        need(module)
    from bartizan.lab.membership.stacked import Noise, Recipe
    from bartizan.lab.membership.study import study
    from bartizan.lab.privacy.accountant import Mechanism, noise_for, spent

    x, y = medical_records()
    rate = BATCH / (len(y) // 2)
    steps = EPOCHS * round(1 / rate)
    multiplier = noise_for(EPSILON, DELTA, rate, steps)
    plain = Recipe(hidden=(128,), activation="relu", epochs=200, batch=32, learning_rate=3e-3)
    private = Recipe(
        hidden=(128,),
        activation="relu",
        epochs=EPOCHS,
        batch=BATCH,
        learning_rate=1.0,
        optimizer="sgd",
        noise=Noise(CLIP, multiplier),
    )
    models = MODELS * min(bench.effort, 3)
    studies = []
    for control, how in (("off", plain), ("on", private)):
        found = study((x, y), how, models=models, seed=bench.seed, progress=bench.progress)
        _record(bench, control, found)
        studies.append(found)
    off, on = studies
    return Evidence(
        off=_most(off),
        on=_most(on),
        measured={
            "accuracy without DP": off.test_accuracy,
            "accuracy with DP": on.test_accuracy,
            "accuracy lost to DP": _lost(off, on),
        },
        baselines={"loss threshold alone, without DP": off.leaks[0].tpr[RATE]},
        families={a.attack: (a.tpr[RATE], b.tpr[RATE]) for a, b in zip(off.leaks, on.leaks, strict=True)},
        stopped_by={"DP-SGD": max(0, round((_most(off).value - _most(on).value) * models * len(y) / 2))},
        notes=(
            f"Success: members found at {RATE:.0%} false positives, by the best of {len(off.leaks)} attacks each time.",
            f"DP-SGD spent {spent(Mechanism(rate, multiplier, steps), DELTA)}.",
            f"{models} models on random halves of {len(y)} medical records (scikit-learn's diabetes set, in thirds).",
        ),
    )


def medical_records() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's diabetes records (442, 10) and the third of disease progression that each is in."""
    loaded = need("sklearn.datasets").load_diabetes()
    x = (loaded.data / loaded.data.std(axis=0)).astype(np.float32)
    return x, np.digitize(loaded.target, np.quantile(loaded.target, [1 / 3, 2 / 3]))


def _most(found: Study) -> Measurement:
    return max((leak.tpr[RATE] for leak in found.leaks), key=lambda one: one.value)


def _lost(off: Study, on: Study) -> Measurement:
    """Return the mean paired difference: the same halves, trained without and with DP."""
    pairs = [a - b for a, b in zip(off.test_accuracies, on.test_accuracies, strict=True)]
    return bootstrap(pairs, lambda data: float(np.mean(data)), seed=off.test_accuracy.seed, unit="share")


def _record(bench: Bench, control: str, found: Study) -> None:
    for leak in found.leaks:
        told = {"threat": "T07", "case": leak.attack, "control": control, "auc": str(leak.auc)}
        rates = {f"members found at {rate:g}": str(got) for rate, got in leak.tpr.items()}
        bench.record("attempt", {**told, **rates})


T07 = Threat(
    id="T07",
    name="Membership inference",
    attacker="learns whether a record was in the training set, from scores alone; trains models of the same kind",
    attacks=("loss threshold", "LiRA online and offline", "RMIA", "pooled Bayes for few references"),
    controls=("DP-SGD with an accountant (lab/privacy)",),
    claims=(
        Claim("The attack is real: without DP it finds members.", lambda e: e.off, AtLeast(0.10), reference_only=True),
        Claim("With DP-SGD it finds few more than false positives.", lambda e: e.on, AtMost(0.05)),
        Claim("DP costs little accuracy.", lambda e: e.measured["accuracy lost to DP"], AtMost(0.02)),
        Claim(
            "A loss threshold alone would have hidden the leak.",
            lambda e: e.baselines["loss threshold alone, without DP"],
            AtMost(0.03),
            reference_only=True,
        ),
    ),
    residual=(
        "Epsilon bounds what any attack can win only if training does what it says: audit it. The reference task is "
        "small; on larger models DP costs more accuracy. Rounded or cut scores are no control: they are only measured "
        "where label-only attacks are. Regularisation (fewer epochs, RelaxLoss) hides members from the attacks it was "
        "measured with and bounds none."
    ),
    advice=(
        "Know which of your models were trained on personal data; run `bartizan lab audit` on them.",
        "Train those with DP-SGD, and print epsilon with its accountant.",
        "Judge by hits at low false positives and by the best attack, never by average accuracy of one.",
    ),
    run=run,
)
