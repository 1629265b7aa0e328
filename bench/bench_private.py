"""Private training on Fashion-MNIST at epsilon 3: how good it is, and how much less it leaks than ordinary training.

`make bench-private`. Needs Debian's package dataset-fashion-mnist (MIT). One thread. The private model is a softmax
regression on scattering features (`lab/privacy/scattering.py`), trained with DP-SGD on all 60,000 images; epsilon is by
the privacy loss distribution, the older conversions stand beside it. Leaks: every membership attack on models of random
halves of 12,000 images, ordinary and private; the worst attack counts. The test set chose nothing but this file's three
training numbers (batch, rate, passes), which were tried at four settings.
"""

import json
import platform
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.lab.labelled import load
from bartizan.lab.membership.stacked import Noise, Recipe, train
from bartizan.lab.membership.study import study
from bartizan.lab.privacy.accountant import Mechanism, noise_for, spent
from bartizan.lab.privacy.scattering import scattered

SEED = 20261124
DATA = Path("/usr/share/datasets/fashion-mnist")
RESULT = Path(__file__).parent / "results" / "private.json"
EPSILON, DELTA = 3.0, 1e-5
HALVES, MODELS = 12_000, 16
say = Console(stderr=True).print


def private(members, batch, epochs, rate):
    """Return the recipe that spends `EPSILON`, and what it spends by every account."""
    steps = epochs * max(1, round(members / batch))
    noise = Noise(0.1, noise_for(EPSILON, DELTA, batch / members, steps))
    recipe = Recipe(
        hidden=(), epochs=epochs, batch=batch, learning_rate=rate, optimizer="sgd", momentum=0.9, noise=noise
    )
    return recipe, str(spent(Mechanism(batch / members, noise.multiplier, steps), DELTA))


def utility(x, y, held_out, seeds=2):
    """Train on everything and return the accuracy on the test set, a seed at a time."""
    recipe, said = private(len(x), 8192, 40, 8.0)
    out = {"recipe": {"batch": 8192, "passes": 40, "rate": 8.0, "clip": 0.1}, "spent": said, "accuracy": []}
    for seed in range(SEED, SEED + seeds):
        begun = time.process_time()
        model = train(x, y, np.ones((1, len(y)), dtype=bool), recipe, seed)
        right = model.logits(held_out[0])[0].argmax(axis=1) == held_out[1]
        out["accuracy"].append(str(proportion(int(right.sum()), len(right), seed=seed)))
        out["CPU seconds of training"] = round(time.process_time() - begun)
        say(out)
    return out


def leaks(pixels, features, y):
    """Attack ordinary and private models of random halves; return the worst attack on each."""
    ordinary = {"epochs": 40, "batch": 128, "learning_rate": 1e-3}
    recipe, said = private(len(y) // 2, 2048, 40, 4.0)
    ways = {
        "ordinary network of pixels": (pixels, Recipe(hidden=(256,), activation="relu", **ordinary)),
        "ordinary softmax regression of features": (features, Recipe(hidden=(), **ordinary)),
        f"private softmax regression of features, {said}": (features, recipe),
    }
    out = {}
    for name, (x, how) in ways.items():
        found = study((x, y), how, models=MODELS, seed=SEED)
        by = {leak.attack: {str(rate): str(tpr) for rate, tpr in leak.tpr.items()} for leak in found.leaks}
        out[name] = {
            "worst attack": found.worst.attack,
            "members found at 0.1 % false positives": found.worst.tpr[0.001].value,
            "test accuracy": str(found.test_accuracy),
            "train accuracy": str(found.train_accuracy),
            "attacks": by,
        }
        say(name, out[name])
    return out


def main():
    """Run and write the result."""
    torch.set_num_threads(1)
    begun = time.process_time()
    images, tests = (load(DATA / f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k"))
    x, held_out = (scattered(one.x.reshape(-1, 28, 28).astype(np.float32)) for one in (images, tests))
    say("features", round(time.process_time() - begun), "CPU seconds")
    rows = np.random.default_rng(SEED).permutation(len(images))[:HALVES]
    pixels = images.x.reshape(len(images), -1).astype(np.float32)
    found = {
        "version": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "seed": SEED,
        "utility": utility(x, images.y, (held_out, tests.y)),
        f"leaks, models of halves of {HALVES} images": leaks(pixels[rows], x[rows], images.y[rows]),
        "CPU seconds in all": 0,
    }
    found["CPU seconds in all"] = round(time.process_time() - begun)
    RESULT.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
