"""What wrong answers for inputs unlike honest ones cost thieves of a network, by what they own, and honest callers.

`make bench-misinformation` (ARGS="MNIST" names one data set). Needs mnist.npz in build/lab-data and Debian's package
dataset-fashion-mnist (MIT; the folder of its files as `--fashion`). One thread. The network and the sketch are those of
`make bench-monitor`, which is run first and keeps the network. Every thief asks up to 2,000 questions and reads scores,
without and with the control; agreement is with the network's own labels on 5,000 test images. Thieves who own

* nothing of the kind: images of another data set, or strokes drawn at random (images of bars and arcs); with the
  control also the first of them keeping only what a copy moved by a pixel confirms, at two questions each: the true
  answers move less than the key's;
* 50 records: steps along the copy's gradient, or the records moved, turned and mixed;
* 10,000 records: at random, or what the copy is least sure of.

The line above which an input is strange was drawn from honest inputs at 0.3 %; nothing was chosen by these thieves.
"""

import argparse
import json
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from bench.bench_extraction import needed
from bench.bench_monitor import BOUNDS, SHAPE, account, flat, prepared, sets
from scipy.ndimage import affine_transform, gaussian_filter

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.gateway.predict.sketch import doubt
from bartizan.gateway.predict.sketching import Honest, sketched
from bartizan.lab.extraction.surrogates import Jacobian, LeastSure, Plan, Records, steal
from bartizan.lab.labelled import Labelled
from bartizan.lab.reference_classifier import small_cnn
from bartizan.policy.release import Release

SEED = 20261130
RESULT = Path(__file__).parent / "results" / "misinformation.json"
ROUNDS = (150, 500, 2000)
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9)
OWNS = ("nothing of the kind", "50 records", "10,000 records")


@dataclass
class Drawn:
    """Images that nobody photographed: a few bars and arcs with soft edges."""

    name: str = "strokes drawn at random"

    def next(self, copy, count, draw):
        """Return more of them."""
        out = np.zeros((count, *SHAPE), np.float32)
        for image in out[:, 0]:
            for _ in range(draw.integers(1, 4)):
                at, way, turn = draw.uniform(7, 21, 2), draw.uniform(0, 2 * np.pi), draw.normal(0, 0.15)
                for _ in range(draw.integers(6, 18)):
                    image[tuple(np.clip(at.round().astype(int), 0, 27))] = 1
                    at, way = at + np.array([np.sin(way), np.cos(way)]), way + turn
            image[:] = np.clip(2.2 * gaussian_filter(image, draw.uniform(0.6, 1.2)), 0, 1)
        return out


@dataclass
class Moved:
    """A few own records, moved, turned, stretched and mixed."""

    own: np.ndarray
    name: str = "own records moved and mixed"

    def next(self, copy, count, draw):
        """Return the records first, then more of them."""
        if not len(copy.asked):
            return self.own
        out = np.zeros((count, *SHAPE), np.float32)
        for row in range(count):
            one, other = self.own[draw.integers(0, len(self.own), 2), 0]
            angle, size = draw.normal(0, 0.15), draw.normal(1, 0.1, 2)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / size
            middle = np.array([13.5, 13.5])
            moved = affine_transform(one, turn, middle - turn @ middle + draw.normal(0, 1.5, 2), order=1)
            share = draw.choice([0.0, draw.uniform(0, 0.5)])
            out[row, 0] = (1 - share) * moved + share * other
        return out


@dataclass
class Confirmed:
    """Asks another way's questions twice, the second time moved by a pixel, and learns what both answers agree on."""

    way: Records
    ask: object
    name: str = "other images, what a moved copy confirms"

    def next(self, copy, count, draw):
        """Return questions whose answers hold; those that do not were paid for all the same."""
        kept = []
        while sum(map(len, kept)) < count and self.spent < 2 * ROUNDS[-1]:
            x = self.way.next(self, 100, draw)
            self.asked = np.concatenate([self.asked, x])
            self.spent += 2 * len(x)
            same = self.ask(x).argmax(axis=1) == self.ask(np.roll(x, 1, axis=3)).argmax(axis=1)
            kept.append(x[same])
        return np.concatenate(kept)[:count] if kept else np.zeros((0, *SHAPE), np.float32)

    def __post_init__(self):
        self.asked, self.spent = np.zeros((0, *SHAPE), np.float32), 0


def thieves(own, others):
    """Every way by what its thief owns."""
    few = own[:50]
    return {
        "nothing of the kind": (Records("other images", others[:20000]), Drawn()),
        "50 records": (Jacobian(few), Moved(few)),
        "10,000 records": (Records("own records at random", own), LeastSure(own)),
    }


def curve_of(way, ask, x, truth):
    """Return [questions, agreement] after each round, and what was asked."""
    curve = []

    def told(copy):
        spent = getattr(way, "spent", len(copy.asked))
        curve.append((spent, round(float((copy.labels(x) == truth).mean()), 4)))

    copy = steal(ask, way, lambda: small_cnn(28, seed=1), Plan(SHAPE, ROUNDS, SEED, 200, final=1), told)
    return curve, copy.asked


def multiplier(off, on):
    """For each level the best thief's questions without and with the control, over the ways in both."""
    out = {}
    for level in LEVELS:
        before, after = (
            min((one for one in (needed(curve, level) for curve in side.values()) if one), default=None)
            for side in (off, on)
        )
        if before:
            out[f"{level:.0%}"] = round(after / before, 2) if after else f"over {ROUNDS[-1] / before:.1f}"
    return out


def measured(name, learn, test, others):
    """Both sides for every thief, and what honest callers pay."""
    victim, _ = prepared(name, learn, test, others)
    usual = learn.x[20000:32000]
    scores = victim.scores(usual)
    honest = Honest(flat(usual), scores.argmax(axis=1), scores, BOUNDS, lambda x: victim.scores(x.reshape(-1, *SHAPE)))
    sketch = sketched(honest, seed=SEED)
    control = Release(key=np.random.default_rng(SEED).bytes(32), centre=sketch.centre, scale=sketch.spread,
                      mislead=True)  # fmt: skip

    def strange(x, said):
        return sketch.distance(sketch.place(flat(x)), said.argmax(axis=1)) > sketch.strange

    def guarded(x):
        said = victim.scores(x).astype(np.float64)
        rows = strange(x, said)
        if rows.any():
            said[rows] = control.unrelated(flat(x[rows]), said[rows])
        return said

    out = {"model's accuracy": round(float((victim.labels(test.x) == test.y).mean()), 4)}
    said = guarded(test.x).argmax(axis=1)
    out["accuracy with the control"] = round(float((said == test.y).mean()), 4)
    out["honest labels changed"] = str(proportion(int((said != victim.labels(test.x)).sum()), len(said), seed=SEED))
    pool, draw = Labelled(learn.x[42000:], learn.y[42000:]), np.random.default_rng(SEED)
    unsure = doubt(victim.scores(pool.x), len(pool))
    hard = (np.argsort(np.argsort(unsure)) / len(pool) - 0.5) * 2
    for harsh in (1.0, 3.0):
        x = np.concatenate([account(pool, hard, draw, harsh)[:128] for _ in range(40)])
        changed = guarded(x).argmax(axis=1) != victim.labels(x)
        out[f"labels changed, accounts with {harsh:g} times the look"] = str(
            proportion(int(changed.sum()), len(x), seed=SEED)
        )
    x = test.x[:5000]
    truth, own = victim.labels(x), learn.x[32000:42000]
    out["thieves"] = {}
    for owns in OWNS:
        sides, misled = {"off": {}, "on": {}}, {}
        for side, ask in (("off", victim.scores), ("on", guarded)):
            ways = thieves(own, others.x)[owns]
            if side == "on" and owns == "nothing of the kind":
                ways = (*ways, Confirmed(ways[0], ask))
            for way in ways:
                sides[side][way.name], asked = curve_of(way, ask, x, truth)
                misled[way.name] = round(float(strange(asked, victim.scores(asked)).mean()), 3)
        out["thieves"][owns] = sides | {
            "share of the questions that is misled": misled,
            "times the questions": multiplier(sides["off"], sides["on"]),
        }
        print(name, owns, json.dumps(out["thieves"][owns]), flush=True)
    return out


def main():
    """Run the data sets that are named and keep the others' results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--fashion", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {"sets": {}}
    result |= {"version": __version__, "torch": torch.__version__, "python": platform.python_version(), "seed": SEED}
    for name, data in sets(args.fashion).items():
        if not args.sets or name in args.sets:
            begun = time.process_time()
            result["sets"][name] = {**measured(name, *data), "CPU s": round(time.process_time() - begun)}
            RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
