"""Membership attacks on Location-30 by number of reference models, their cost, and MemGuard's published split.

`make bench-membership`. Reads `location30.tgz` and `memguard_location_split.npz` from build/lab (or the folder named
as the first argument); neither is shipped. Half split of 5,010 records, 446-256-30 tanh network, 30 epochs of Adam: the
target and its references are trained alike. Figures are means over targets with a bootstrap interval over them; then
references every target is attacked with several disjoint groups of them, and its own figure is the mean.
"""

import json
import platform
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import torch

from bartizan import __version__
from bartizan.lab.membership.attacks import ATTACKS
from bartizan.lab.membership.judge import LOW_RATES, roc
from bartizan.lab.membership.shadows import balanced_halves
from bartizan.lab.membership.signals import Observed, probabilities
from bartizan.lab.membership.stacked import Recipe, train

SEED = 20261124
TARGETS, REFERENCES = 8, 64
FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else "build/lab")
RESULT = Path(__file__).parent / "results" / "membership.json"
RECIPE = Recipe(hidden=(256,), activation="tanh", epochs=30, batch=128, precision="bfloat16")
MEMGUARD_USER = Recipe(
    hidden=(1024, 512, 256, 128),
    activation="relu",
    epochs=200,
    batch=64,
    learning_rate=0.01,
    optimizer="sgd",
    drop_at=150,
    initial="glorot",
)
MEMGUARD_ATTACK = Recipe(
    hidden=(512, 256, 128),
    activation="relu",
    epochs=400,
    batch=64,
    learning_rate=0.01,
    optimizer="sgd",
    drop_at=300,
    initial="glorot",
)


def location():
    """Return features (5010, 446) and labels 0..29 of Location-30."""
    with tarfile.open(FOLDER / "location30.tgz") as archive:
        text = archive.extractfile("bangkok").read().decode()
    table = np.array([[int(value.strip('"')) for value in line.split(",")] for line in text.splitlines()])
    return table[:, 1:].astype(np.float32), table[:, 0] - 1


def mean_with_interval(values):
    """Return the mean over targets and its bootstrap interval."""
    data = np.asarray(values)
    draw = np.random.default_rng(SEED)
    means = data[draw.integers(0, len(data), (4000, len(data)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"value": round(float(data.mean()), 5), "low": round(float(low), 5), "high": round(float(high), 5)}


def attacked(x, y):
    """Return figures by number of references and attack, and what the models cost."""
    draw = np.random.default_rng(SEED)
    inside = np.stack([draw.permutation(len(x)) < len(x) // 2 for _ in range(TARGETS)])
    known = balanced_halves(len(x), REFERENCES, SEED + 2)  # with SEED the first would be the targets' own halves
    targets = probabilities(train(x, y, inside, RECIPE, SEED).logits(x))
    begun = time.process_time()
    references = train(x, y, known, RECIPE, SEED + 1)
    cost = time.process_time() - begun
    references = probabilities(references.logits(x))
    right = targets.argmax(axis=2) == y
    table = {}
    for count in (2, 4, 8, 16, 64):
        groups = min(4, REFERENCES // count)
        for attack in ATTACKS:
            each = []
            for number in range(TARGETS):
                one = []
                for group in range(groups):
                    start = ((number * groups + group) * count) % REFERENCES
                    cut = slice(start, start + count)
                    seen = Observed(targets[number], references[cut], known[cut], y)
                    curve = roc(attack.score(seen), inside[number])
                    one.append([curve.auc, *(curve.at(rate) for rate in LOW_RATES)])
                each.append(np.mean(one, axis=0))
            names = ("auc", *(f"tpr at {rate:g}" for rate in LOW_RATES))
            row = {name: mean_with_interval(column) for name, column in zip(names, np.transpose(each), strict=True)}
            table.setdefault(str(count), {})[attack.name] = row
            print(count, attack.name, {name: row[name]["value"] for name in names}, flush=True)
    facts = {"train accuracy": float(right[inside].mean()), "test accuracy": float(right[~inside].mean())}
    return table, {"references": REFERENCES, "cpu seconds": round(cost, 1)}, facts


def memguard(x, y):
    """Return the accuracy of the published attack network without a defence, for two seeds."""
    order = np.load(FOLDER / "memguard_location_split.npz", allow_pickle=False)["x"]
    x, y = x[order], y[order]

    def rows(*spans):
        return np.isin(np.arange(len(x)), np.concatenate([np.arange(*span) for span in spans]))

    out = []
    for seed in (SEED, SEED + 1):
        both = train(x, y, np.stack([rows((0, 1000)), rows((3000, 3500))]), MEMGUARD_USER, seed).logits(x)
        user, shadow = (np.sort(probabilities(one), axis=1).astype(np.float32) for one in both)
        known, member = rows((3000, 3500), (4000, 4500)), rows((3000, 3500)).astype(int)
        attack = train(shadow[known], member[known], np.ones((1, known.sum()), dtype=bool), MEMGUARD_ATTACK, seed)
        said = attack.logits(user)[0].argmax(axis=1)
        right = np.concatenate([said[:1000] == 1, said[2000:3000] == 0])
        test = float((both[0].argmax(axis=1) == y)[1000:2000].mean())
        out.append({"seed": seed, "attack accuracy": float(right.mean()), "test accuracy": test})
        print(out[-1], flush=True)
    return {"published attack accuracy": 0.73, "runs": out}


def main():
    """Measure, print, write."""
    x, y = location()
    table, cost, facts = attacked(x, y)
    RESULT.write_text(
        json.dumps(
            {
                "what": "Location-30, half split, 446-256-30 tanh; share of members found at a false-positive rate",
                "bartizan": __version__,
                "torch": torch.__version__,
                "python": platform.python_version(),
                "cpus": 2,
                "seed": SEED,
                "targets": TARGETS,
                "records": len(x),
                "target": facts,
                "shadow training": cost,
                "by references": table,
                "memguard split": memguard(x, y),
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
