"""What a copy costs without and with controls: a small convolutional network, and a softmax regression.

`make bench-extraction` (ARGS="MNIST" names one part: digits, MNIST, Fashion-MNIST; "none" only works out multipliers).
Needs mnist.npz in build/lab-data and Debian's package dataset-fashion-mnist (MIT; the folder of its files as
`--fashion`). One thread. The thief of the network owns 10,000 unlabelled images of the same kind and asks in every way
of `lab/extraction/surrogates.py`, reading labels or scores. Without controls the best way counts. With controls scores
carry keyed noise, and ways that `make bench-monitor` notices are given up by a thief who knows it: left are own records
at random, read as labels, as noisy scores, or as noisy scores of near-copies averaged, and what the copy is least sure
of until that is noticed. The multiplier is how many times the questions the best way needs for the same agreement; it
is worked out anew from the kept curves each time.
"""

import argparse
import json
import platform
import time
from pathlib import Path

import numpy as np
import torch
from bench.bench_monitor import SHAPE, flat, model, sets

from bartizan import __version__
from bartizan.core.measures import bootstrap, proportion
from bartizan.lab.extraction.clones import Thief, best
from bartizan.lab.extraction.surrogates import Jacobian, LeastSure, Plan, Records, steal
from bartizan.lab.reference_classifier import small_cnn
from bartizan.policy.release import Release
from bartizan.threats.t05_model_extraction import NOISE, _victim

SEED = 20261129
RESULT = Path(__file__).parent / "results" / "extraction.json"
ROUNDS = (60, 150, 400, 1000, 2200, 5000)
LEVELS = (0.80, 0.85, 0.90, 0.95)
COPIES = 4
"""Near-copies that are averaged: as many questions for one answer."""


def needed(curve, level):
    """Return how many questions a curve needs for a level of agreement, interpolated on their logarithm; None: more."""
    before = None
    for count, agreed in curve:
        if agreed >= level:
            if before is None:
                return count
            share = (level - before[1]) / (agreed - before[1])
            return round(float(np.exp(np.log(before[0]) + share * np.log(count / before[0]))))
        before = count, agreed
    return None


class Averaged:
    """Asks near-copies of each input and averages the log-scores: what undoes noise that is drawn anew each time."""

    def __init__(self, ask):
        self.ask, self.draw = ask, np.random.default_rng(SEED)

    def __call__(self, x):
        logs = [
            np.log(
                np.maximum(self.ask(np.clip(x + self.draw.normal(0, 0.02, x.shape), 0, 1).astype(np.float32)), 1e-12)
            )
            for _ in range(COPIES)
        ]
        odds = np.exp(np.mean(logs, axis=0))
        return odds / odds.sum(axis=1, keepdims=True)


def network(learn, test, others):
    """Curves of every thief of the network, and what they say."""
    victim = model(learn.first(20000))
    own, x = learn.x[32000:42000], test.x[:5000]
    truth = victim.labels(x)
    control = Release(noise=NOISE, key=np.random.default_rng(SEED).bytes(32), centre=flat(own).mean(axis=0),
                      scale=np.full(784, own.std()))  # fmt: skip

    def noisy(z):
        return control.apply(flat(z), victim.scores(z).astype(np.float64))

    records, active = Records("own records", own), LeastSure(own)
    thieves = {
        "own records, labels": (records, victim.labels, 1),
        "own records, scores": (records, victim.scores, 1),
        "active, labels": (active, victim.labels, 1),
        "active, scores": (active, victim.scores, 1),
        "Jacobian, labels": (Jacobian(own[:50]), victim.labels, 1),
        "Knockoff, scores": (Records("Knockoff", others.x[:20000]), victim.scores, 1),
        "own records, noisy scores": (records, noisy, 1),
        "own records, noisy scores averaged over near-copies": (records, Averaged(noisy), COPIES),
    }
    curves, labels = {}, {}
    for name, (way, ask, each) in thieves.items():
        curve = []

        def told(copy, curve=curve, each=each, name=name):
            labels[name] = copy.labels(x)
            curve.append((len(copy.asked) * each, round(float((labels[name] == truth).mean()), 4)))

        steal(ask, way, lambda: small_cnn(28, seed=1),
              Plan(SHAPE, [n // each for n in ROUNDS if n // each >= 15], SEED, 500, final=1), told)  # fmt: skip
        curves[name] = curve
        print(name, curve, flush=True)
    averaged = "own records, noisy scores averaged over near-copies"
    kept = noisy(test.x).argmax(axis=1) == victim.labels(test.x)
    mean, fresh = (labels[name] == truth for name in (averaged, "own records, noisy scores"))
    pairs = (mean.astype(float) - fresh.astype(float)).tolist()
    return {
        "model's accuracy": round(float((victim.labels(test.x) == test.y).mean()), 4),
        "agreement by questions": curves,
        "label only, 5,000 questions": str(
            proportion(int((labels["active, labels"] == truth).sum()), len(truth), seed=SEED)
        ),
        "labels changed by the control": str(proportion(int((~kept).sum()), len(kept), seed=SEED)),
        "gain from averaging at 5,000 questions": str(
            bootstrap(pairs, lambda data: float(np.mean(data)), seed=SEED, unit="share")
        ),
    }


def multipliers(name, curves):
    """For each level: questions of the best way without and with controls, and how many times more that is.

    With controls a thief may also ask what the copy is least sure of, as far as `make bench-monitor` does not notice
    one account that does.
    """
    watched = json.loads((RESULT.parent / "monitor.json").read_text())
    latest = watched.get("short", {}).get(name) or watched["sets"][name]
    seen = latest["scenes"]["by way"]["one account"]
    until = seen["active"]["thief's questions before, median"] or ROUNDS[-1]
    off = [way for way in curves if "noisy" not in way]
    on = [way for way in curves if way.startswith("own records") and way != "own records, scores"]
    out = {"least sure goes unnoticed until": until}
    for level in LEVELS:
        sides = []
        for side in (off, on):
            counts = {way: needed(curves[way], level) for way in side}
            reached = {way: count for way, count in counts.items() if count is not None}
            active = needed(curves["active, labels"], level)
            if side is on and active is not None and active < until:
                reached["active, labels"] = active
            sides.append(min(reached.items(), key=lambda one: one[1]) if reached else ("none", None))
        (a, before), (b, after) = sides
        times = None
        if before:
            times = round(after / before, 2) if after else f"over {ROUNDS[-1] / before:.1f}"
        out[f"{level:.0%}"] = {"off": [a, before], "on": [b, after], "multiplier": times}
    return out


def softmax():
    """T05's softmax regression with questions up to two hundred times what its equations need."""
    victim, own, held_out, everything = _victim(SEED)
    control = Release(noise=NOISE, key=np.random.default_rng(SEED).bytes(32), centre=own.mean(axis=0),
                      scale=np.full(own.shape[1], own.std()))  # fmt: skip
    sides = {"off": victim, "on": lambda x: control.apply(x, victim(x))}
    unit, curves = own.shape[1] + 1, {}
    for side, scores in sides.items():
        thief = Thief(scores, own, SEED)
        for multiple in (1, 2, 5, 10, 20, 50, 100, 200) if side == "on" else (1,):
            winner, agreed = best(thief.steal(multiple * unit), lambda x: victim(x).argmax(axis=1), held_out, seed=SEED)
            curves.setdefault(side, []).append((multiple * unit, round(agreed.value, 4)))
            print(side, multiple * unit, winner.how, agreed, flush=True)
    kept = sides["on"](everything).argmax(axis=1) == victim(everything).argmax(axis=1)
    levels = (0.95, 0.97, 0.98, 0.99, 1.0)
    return {
        "agreement by questions": curves,
        "questions needed with the control": {f"{level:.0%}": needed(curves["on"], level) for level in levels},
        "times those without": {
            f"{level:.0%}": round(count / unit, 1) if (count := needed(curves["on"], level)) else "over 200"
            for level in levels
        },
        "labels changed by the control": str(proportion(int((~kept).sum()), len(kept), seed=SEED)),
    }


def main():
    """Run the parts that are named and keep the others' results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--fashion", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {"parts": {}}
    result |= {"version": __version__, "torch": torch.__version__, "python": platform.python_version(), "seed": SEED}
    for name, part in result["parts"].items():
        if name != "digits":
            part["questions needed"] = multipliers(name, part["agreement by questions"])
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    work = {"digits": lambda: softmax()}
    if not args.parts or set(args.parts) & {"MNIST", "Fashion-MNIST"}:
        work |= {name: lambda data=data: network(*data) for name, data in sets(args.fashion).items()}
    for name, run in work.items():
        if not args.parts or name in args.parts:
            begun = time.process_time()
            result["parts"][name] = {**run(), "CPU s": round(time.process_time() - begun)}
            if name != "digits":
                part = result["parts"][name]
                part["questions needed"] = multipliers(name, part["agreement by questions"])
            RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
