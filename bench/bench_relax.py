"""What regularisation hides from membership attacks, beside plain training: none of it is a guarantee.

`make bench-relax`. Location-30 as in `make bench-membership` (`location30.tgz` in build/lab-data, or the folder that is
the first argument; not shipped): half splits, 446-256-30 tanh networks, 30 epochs of Adam, four targets and twelve
references trained alike, every attack, the best of them counts. Beside plain training: fewer epochs, and RelaxLoss at
two levels. One thread, about a minute.
"""

import json
import platform
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from bench.bench_membership import RECIPE, location, mean_with_interval

from bartizan import __version__
from bartizan.lab.membership.judge import roc
from bartizan.lab.membership.related import attacks_on
from bartizan.lab.membership.shadows import balanced_halves
from bartizan.lab.membership.signals import Observed, probabilities
from bartizan.lab.membership.stacked import train

SEED = 20261129
RESULT = Path(__file__).parent / "results" / "relax.json"
TARGETS, REFERENCES, RATE = 4, 12, 0.001
WAYS = {
    "plain": RECIPE,
    "10 epochs": replace(RECIPE, epochs=10),
    **{f"RelaxLoss at {level}": replace(RECIPE, relax=level) for level in (0.25, 0.5)},
}


def studied(x, y, inside, recipe):
    """Return accuracy on others' records and what each attack finds of the members of the first `TARGETS` models."""
    scores = probabilities(train(x, y, inside, recipe, SEED).logits(x))
    right = scores.argmax(axis=2) == y
    out = {"accuracy": mean_with_interval([right[n][~inside[n]].mean() for n in range(TARGETS)])}
    for attack in attacks_on(x, y):
        found = [
            roc(attack.score(Observed(scores[n], scores[TARGETS:], inside[TARGETS:], y)), inside[n]).at(RATE)
            for n in range(TARGETS)
        ]
        out[attack.name] = mean_with_interval(found)
    best = max((name for name in out if name != "accuracy"), key=lambda name: out[name]["value"])
    return {"accuracy": out.pop("accuracy"), "best": best, f"members found at {RATE:.1%}": out[best], "attacks": out}


def main():
    """Train in every way, attack, write."""
    torch.set_num_threads(1)
    x, y = location(Path(sys.argv[1] if len(sys.argv) > 1 else "build/lab-data"))
    draw = np.random.default_rng(SEED)
    own = np.stack([draw.permutation(len(x)) < len(x) // 2 for _ in range(TARGETS)])
    inside = np.concatenate([own, balanced_halves(len(x), REFERENCES, SEED + 2)])
    result = {"bartizan": __version__, "torch": torch.__version__, "python": platform.python_version(), "seed": SEED}
    for name, recipe in WAYS.items():
        result[name] = studied(x, y, inside, recipe)
        print(name, json.dumps({key: value for key, value in result[name].items() if key != "attacks"}), flush=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
