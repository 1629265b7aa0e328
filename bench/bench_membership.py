"""Membership attacks on Location-30 by number of reference models, their cost, and MemGuard's published split.

`make bench-membership`. Reads `location30.tgz` and `memguard_location_split.npz` from build/lab-data (or `--data`);
neither is shipped. `--only location` or `--only memguard` measures one part and keeps the other's figures. Half split
of 5,010 records, 446-256-30 tanh network, 30 epochs of Adam: the target and its references are trained alike, eight at
a time and kept in build/membership with the CPU seconds that they took, so that a run that was stopped goes on. In
bfloat16 it takes half the time where the CPU has that, and a multiple where not: `--precision float32`. Figures
are means over targets with a bootstrap interval over them; every target is attacked with several disjoint groups of
references, and its own figure is the mean. The halves of references are drawn apart from those of targets, and that
none agrees with one more than chance does is checked. The attack on related records was chosen on references as
targets, never on the targets.
"""

import argparse
import json
import platform
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from bartizan import __version__
from bartizan.lab.membership.judge import LOW_RATES, roc
from bartizan.lab.membership.related import attacks_on
from bartizan.lab.membership.shadows import balanced_halves
from bartizan.lab.membership.signals import Observed, probabilities
from bartizan.lab.membership.stacked import Recipe, train

SEED = 20261124
TARGETS, REFERENCES = 8, 64
BLOCK = 8
CHANCE = 0.04
"""Two random halves agree on half of 5,010 records, give or take 0.007; beyond 0.04 one knows of the other."""
RESULT = Path(__file__).parent / "results" / "membership.json"
RECIPE = Recipe(hidden=(256,), activation="tanh", epochs=30, batch=128)
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


def location(folder):
    """Return features (5010, 446) and labels 0..29 of Location-30."""
    with tarfile.open(folder / "location30.tgz") as archive:
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


def kept(name, data, inside, recipe, seed):
    """Return probabilities (models, records, classes) of models trained on `inside`, and the CPU seconds they took."""
    folder = Path("build/membership")
    folder.mkdir(parents=True, exist_ok=True)
    scores, spent = [], 0.0
    for start in range(0, len(inside), BLOCK):
        path = folder / f"{name}-{recipe.precision}-{seed}-{start}.npz"
        if not path.exists():
            begun = time.process_time()
            stack = train(*data, inside[start : start + BLOCK], recipe, seed + start)
            took = time.process_time() - begun
            unfinished = path.with_suffix(".part.npz")
            np.savez(unfinished, scores=probabilities(stack.logits(data[0])), took=took)
            unfinished.rename(path)
        with np.load(path) as file:
            scores.append(file["scores"])
            spent += float(file["took"])
        print(name, start + BLOCK, "models", round(spent, 1), "CPU s", flush=True)
    return np.concatenate(scores), spent


def groups_of(count):
    """Return where the disjoint groups of `count` references begin, for each target."""
    groups = min(4, REFERENCES // count)
    return [[(number * groups + group) * count % REFERENCES for group in range(groups)] for number in range(TARGETS)]


def attacked(x, y, recipe):
    """Return figures by number of references and attack, and what the models cost."""
    draw = np.random.default_rng(SEED)
    inside = np.stack([draw.permutation(len(x)) < len(x) // 2 for _ in range(TARGETS)])
    known = balanced_halves(len(x), REFERENCES, SEED + 2)
    agreed = np.stack([(half == known).mean(axis=1) for half in inside])
    if abs(agreed - 0.5).max() > CHANCE:
        raise ValueError(f"a reference agrees with a target's half on {agreed.max():.1%}: expected about 50 %")
    targets, _ = kept("targets", (x, y), inside, recipe, SEED)
    references, cost = kept("references", (x, y), known, recipe, SEED + 1000)
    right = targets.argmax(axis=2) == y
    attacks = attacks_on(x, y)
    table, names = {}, ("auc", *(f"tpr at {rate:g}" for rate in LOW_RATES))
    for count in (2, 4, 8, 16, 64):
        each = {attack.name: [] for attack in attacks}
        for number, starts in enumerate(groups_of(count)):
            one = {attack.name: [] for attack in attacks}
            for cut in (slice(start, start + count) for start in starts):
                seen = Observed(targets[number], references[cut], known[cut], y)
                for attack in attacks:
                    curve = roc(attack.score(seen), inside[number])
                    one[attack.name].append([curve.auc, *(curve.at(rate) for rate in LOW_RATES)])
            for name, rows in one.items():
                each[name].append(np.mean(rows, axis=0))
        table[str(count)] = {
            name: {what: mean_with_interval(column) for what, column in zip(names, np.transpose(rows), strict=True)}
            for name, rows in each.items()
        }
        for name, row in table[str(count)].items():
            print(count, name, {what: one["value"] for what, one in row.items()}, flush=True)
    facts = {"train accuracy": float(right[inside].mean()), "test accuracy": float(right[~inside].mean())}
    facts |= {"records on which a reference agrees with a target's half": [agreed.min(), agreed.max()]}
    return table, {"references": REFERENCES, "cpu seconds": round(cost, 1), "precision": recipe.precision}, facts


def memguard(x, y, folder):
    """Return the accuracy of the published attack network without a defence, for two seeds."""
    order = np.load(folder / "memguard_location_split.npz", allow_pickle=False)["x"]
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
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("build/lab-data"))
    parser.add_argument("--only", choices=("location", "memguard"))
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="bfloat16", help="no BF16: float32")
    args = parser.parse_args()
    x, y = location(args.data)
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    result |= {"what": "Location-30, half split, 446-256-30 tanh; share of members found at a false-positive rate"}
    result |= {"bartizan": __version__, "torch": torch.__version__, "python": platform.python_version(), "cpus": 2}
    result |= {"seed": SEED, "targets": TARGETS, "records": len(x)}
    if args.only != "memguard":
        table, cost, facts = attacked(x, y, replace(RECIPE, precision=args.precision))
        result |= {"target": facts, "shadow training": cost, "by references": table}
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    if args.only != "location":
        RESULT.write_text(json.dumps(result | {"memguard split": memguard(x, y, args.data)}, indent=1) + "\n")


if __name__ == "__main__":
    main()
