"""Fingerprints: how many copies are found, what removes them, and whether innocent models are convicted.

`make bench-fingerprint` (ARGS="MNIST" or "Fashion-MNIST" names one part). Needs mnist.npz in build/lab-data and
Debian's package dataset-fashion-mnist (the folder of its files as `--fashion`). One thread. 40 dense networks
(784-64-10) of 3,000 records, all on the same ones with other seeds (share 1) or each on its own draw of them (0.8;
`--share 0.5` for less); 300 points. Copies are made of models drawn from the 40, by thieves that own 3,000 unlabelled
records and 500 labelled ones. Innocent are models of many families, trained on records that nobody else has; each of
the 40 models plays the owner in turn, so a figure is over owners and suspects, and the unluckiest owner stands beside.
"""

import argparse
import json
import platform
import time
from pathlib import Path

import numpy as np
import sklearn
import torch
from bench.bench_monitor import sets

from bartizan import __version__
from bartizan.core.measures import bootstrap
from bartizan.lab.labelled import Labelled
from bartizan.lab.membership.stacked import Recipe, train
from bartizan.lab.ownership import innocents, making
from bartizan.lab.ownership.trials import Thieves, trials
from bartizan.lab.reference_classifier import network_for

SEED = 20261130
RESULT = Path(__file__).parent / "results" / "fingerprint.json"
RECIPE = Recipe(hidden=(64,), activation="relu", epochs=15, batch=32, learning_rate=1e-3)
RECORDS, POOL, MODELS, POINTS, COPIES = 3000, 6000, 40, 300, 10
QUESTIONS = (300, 1000, 3000)
SHARES = {"MNIST": (1.0, 0.8), "Fashion-MNIST": (0.8,)}
STRANGERS = 6


def strangers(learn, seed):
    """Return models of every family on records of their own, by family: networks of many and of few records too."""
    draw = np.random.default_rng(seed)
    x, y = learn.x.reshape(len(learn), -1), learn.y
    out = {}
    for name, make in innocents.families(seed).items():
        for _ in range(STRANGERS):
            rows = draw.permutation(len(y))[:1000]
            out.setdefault(name, []).append(make().fit(x[rows], y[rows]).predict)
    for name, count in (("network", RECORDS), ("network of 200 records", 200)):
        inside = np.stack([draw.permutation(len(y)) < count for _ in range(STRANGERS)])
        stack = train(x, y, inside, RECIPE, seed)
        out[name] = [lambda z, one=one: one.logits(z)[0].argmax(axis=1) for one in map(stack.one, range(STRANGERS))]
    return out


def convicted(draft, suspects):
    """Return per family how often an innocent is convicted at 5 %: by rank alone and in full, and by which owners."""
    table = {}
    flat = draft.points.reshape(len(draft.points), -1)
    for name, models in suspects.items():
        ranks = [[draft.drawn(owner).of_answers(said) for owner in range(MODELS)] for said in (m(flat) for m in models)]
        alone, full = (
            np.array([[getattr(rank, field) <= 0.05 for rank in row] for row in ranks]) for field in ("exact", "p")
        )
        table[name] = {
            "rank alone": round(float(alone.mean()), 4),
            "in full": round(float(full.mean()), 4),
            "unluckiest owner, rank alone": round(float(alone.mean(axis=0).max()), 3),
            "unluckiest owner, in full": round(float(full.mean(axis=0).max()), 3),
        }
    return table


def measured(data, pool, test, suspects, share):
    """Make a cohort, try thieves, ask the innocent."""
    plan = making.Plan(MODELS, POINTS, share, SEED.to_bytes(16))
    begun = time.process_time()
    models = making.cohort(data, making.with_mixtures(pool.x, plan), RECIPE, plan)
    blind = innocents.innocents(data, seed=SEED)
    draft = making.drafted(models, np.arange(POOL // 2, POOL), [labels for _, labels in blind])
    made = time.process_time() - begun
    inside = [models.network(number).logits(test.x.reshape(len(test), -1))[0] for number in (0, 8, 16)]
    accuracy = [float((one.argmax(axis=1) == test.y).mean()) for one in inside]
    thieves = Thieves(
        np.arange(POOL // 2), np.arange(POOL // 2, POOL), pool.first(500),
        lambda: network_for((784,), 10), QUESTIONS, COPIES, SEED,
    )  # fmt: skip
    tried = trials(models, draft, thieves)
    result = {
        "accuracy of the models": round(float(np.mean(accuracy)), 4),
        "points where labels differ": round(models.differ(), 4),
        "CPU s to make": round(made),
        "copies": {
            f"{one.way}, {one.questions}": {
                "agreement": round(one.agreement, 4),
                "found at 0.05": str(one.found),
                "found at 0.025": f"{np.mean(np.array(one.values) <= 0.025):.0%}",
            }
            for one in tried
        },
        "innocents convicted at 0.05": convicted(draft, suspects),
    }
    full = [row["in full"] for row in result["innocents convicted at 0.05"].values()]
    result["innocents convicted, mean of families"] = str(
        bootstrap(full, lambda data: float(np.mean(data)), seed=SEED, unit="share")
    )
    return result


def main():
    """Run the parts that are named and keep the others' results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--fashion", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--share", type=float, action="append")
    args = parser.parse_args()
    torch.set_num_threads(1)
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {"parts": {}}
    result |= {"version": __version__, "torch": torch.__version__, "scikit-learn": sklearn.__version__}
    result |= {"python": platform.python_version(), "seed": SEED, "models": MODELS, "points": POINTS, "copies": COPIES}
    for name, (learn, test, _) in sets(args.fashion).items():
        if args.parts and name not in args.parts:
            continue
        flat = Labelled(learn.x.reshape(len(learn), -1), learn.y)
        data, pool = flat.first(RECORDS), flat.part(10_000, 10_000 + POOL)
        suspects = strangers(flat.part(20_000, 30_000), SEED)
        for share in args.share or SHARES[name]:
            begun = time.process_time()
            found = measured(data, pool, test.first(2000), suspects, share)
            found["CPU s"] = round(time.process_time() - begun)
            result["parts"].setdefault(name, {})[f"share {share:g}"] = found
            RESULT.write_text(json.dumps(result, indent=1) + "\n")
            print(name, share, json.dumps(found, indent=1), flush=True)


if __name__ == "__main__":
    main()
