"""Fashion-MNIST, a small network, Linf 0.1: before and after adversarial training, and certificates under attack.

`make bench-hardening`. Needs Debian's package dataset-fashion-mnist (MIT). One thread. The same attacks before and
after: PGD, APGD on cross-entropy, Square, APGD on three likely wrong classes. Certificates are of the hardened network
smoothed, and attacked within their own radius.
"""

import json
import platform
import time
from dataclasses import asdict
from pathlib import Path

import torch

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.certificates import attack_certificates
from bartizan.lab.evasion.masking import masking_signs
from bartizan.lab.evasion.suite import QUICK, run_suite
from bartizan.lab.hardening.adversarial_training import Recipe, trained
from bartizan.lab.hardening.smoothing import Smoothed
from bartizan.lab.labelled import load
from bartizan.lab.reference_classifier import small_cnn
from bartizan.lab.target import Arrays
from bartizan.lab.targets.torch_modules import of_module

DATA = Path("/usr/share/datasets/fashion-mnist")
RESULT = Path(__file__).parent / "results" / "hardening.json"
SPEC = Arrays((1, 28, 28), 0.0, 1.0)
EPSILON, SEED, ATTACKED, CERTIFIED, SIGMA = 0.1, 20261124, 1000, 100, 0.25
ATTACKS = (*QUICK, Apgd("targeted", 50, aims=3))


def measured(name, module, test):
    """Clean and robust accuracy, stage by stage, and signs of masked gradients."""
    target = of_module(name, module, SPEC, classes=10)
    x, y = torch.from_numpy(test.x), torch.from_numpy(test.y)
    some = Problem(target, Ball("Linf", EPSILON), x, y, SEED)
    found = run_suite(some, ATTACKS)
    everything = proportion(int((target.labels(x.numpy()) == test.y).sum()), len(test.y), seed=SEED)
    signs = masking_signs(some.part(torch.arange(50)))
    return {
        "clean": asdict(found.clean),
        "clean_as_labels": asdict(everything),
        "robust": asdict(found.robust),
        "stages": [{"attack": one.attack, "fell": one.fell} for one in found.stages],
        "masking_signs": [asdict(one) for one in signs],
    }


def main():
    """Train both, attack both, certify the hardened one."""
    torch.set_num_threads(1)
    begun = time.process_time()
    train = load(DATA / "train-images-idx3-ubyte.gz").shaped((1, 28, 28))
    test = load(DATA / "t10k-images-idx3-ubyte.gz").shaped((1, 28, 28)).first(ATTACKED)
    result = {"version": __version__, "torch": torch.__version__, "python": platform.python_version()}
    result |= {"seed": SEED, "epsilon": EPSILON, "attacked": ATTACKED, "threads": 1}
    recipes = {"plain": Recipe("none", epochs=3, seed=SEED), "fast": Recipe("fast", EPSILON, epochs=6, seed=SEED)}
    modules = {}
    for name, recipe in recipes.items():
        started = time.process_time()
        modules[name] = trained(small_cnn(28, seed=SEED), train, SPEC, recipe)
        took = round(time.process_time() - started, 1)
        result[name] = {"recipe": asdict(recipe), "train_cpu_s": took, **measured(name, modules[name], test)}
        print(json.dumps({name: result[name]}, indent=1), flush=True)
    tested = attack_certificates(Smoothed(modules["fast"], SIGMA), torch.from_numpy(test.x[:CERTIFIED]), SPEC, SEED)
    right = [one.label == int(label) for one, label in zip(tested.certificates, test.y, strict=False)]
    radii = {
        str(radius): sum(good and one.radius >= radius for good, one in zip(right, tested.certificates, strict=True))
        for radius in (0.0, 0.25, 0.5)
    }
    result["smoothing"] = {
        "sigma": SIGMA,
        "inputs": CERTIFIED,
        "certified": tested.certified,
        "right_at_radius": radii,
        "broken": asdict(proportion(sum(tested.broken), tested.certified, seed=SEED)),
    }
    result["cpu_s"] = round(time.process_time() - begun, 1)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["smoothing"], indent=1))


if __name__ == "__main__":
    main()
