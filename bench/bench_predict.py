"""The watch on predictive models: query attacks noticed, false alarms, time, adaptive attackers.

`make bench-predict` (ARGS="digits MNIST --part plain" names data sets and a part). Needs mnist.npz (xtr, ytr, xte, yte)
in build/lab-data, and Debian's dataset-fashion-mnist (MIT). One thread. The attacks are the lab's own, unchanged,
one example a run, on a small plain network and on one hardened by adversarial training; a run ends when it wins, or
after 100 questions. The profile is learnt from 20,000 training images (digits: from all 1,297); the reaches and the
number of neighbours (`profile.py`, `provenance.py`) were chosen on 12 runs a kind of other networks, the signs of one
question alone (`repeats.py`) and the share of the tail (`calibration.py`) on other training images.
"""

import argparse
import contextlib
import copy
import json
import platform
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bartizan import __version__
from bartizan.core.errors import Refused
from bartizan.core.measures import proportion
from bartizan.core.sections.predict import LADDER, Predict, PredictStep
from bartizan.gateway.predict.calibration import calibrated, traffic
from bartizan.gateway.predict.provenance import History
from bartizan.gateway.predict.suspicion import Suspicions
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem, is_fooled
from bartizan.lab.evasion.hop_skip_jump import HopSkipJump
from bartizan.lab.evasion.square import Square
from bartizan.lab.hardening.adversarial_training import Recipe, trained
from bartizan.lab.labelled import Labelled, load
from bartizan.lab.reference_classifier import digits, small_cnn
from bartizan.lab.target import Access, Arrays, Target, Traits

SEED = 20261129
FASHION = Path("/usr/share/datasets/fashion-mnist")
MNIST = Path("build/lab-data/mnist.npz")
RESULT = Path(__file__).parent / "results" / "predict.json"
RUNS, QUESTIONS, LONG, ATTACKED_LONG, LEARNT, UNLEARNT, ALONE = 25, 100, 300, 8, 20_000, 10_000, 500

KINDS = ("plain", "hardened")
PARTS = ("honest", *KINDS)


@dataclass
class Setting:
    """A data set, its networks, and how far an attacker may go."""

    name: str
    learn: Labelled
    test: Labelled
    size: int
    linf: float
    l2: float
    epochs: tuple[int, int]

    @property
    def spec(self):
        """The inputs."""
        return Arrays((1, self.size, self.size), 0.0, 1.0)

    def module(self, kind):
        """A plain network or a hardened one."""
        number = KINDS.index(kind)
        recipe = Recipe(("none", "fast")[number], self.linf, epochs=self.epochs[number], seed=SEED)
        return trained(small_cnn(self.size, seed=SEED), self.learn.first(LEARNT), self.spec, recipe).eval()


def settings():
    """The three data sets."""
    small = digits(SEED)
    yield Setting("digits", *small, 8, 0.2, 0.8, (30, 30))
    with np.load(MNIST) as file:
        mnist = [
            Labelled((file[f"x{part}"].reshape(-1, 1, 28, 28) / 255).astype(np.float32), file[f"y{part}"].astype(int))
            for part in ("tr", "te")
        ]
    yield Setting("MNIST", *(one.shuffled(SEED) for one in mnist), 28, 0.3, 2.0, (2, 3))
    fashion = [load(FASHION / f"{part}-images-idx3-ubyte.gz").shaped((1, 28, 28)) for part in ("train", "t10k")]
    yield Setting("Fashion-MNIST", *(one.shuffled(SEED) for one in fashion), 28, 0.1, 1.0, (3, 4))


def flat(x):
    """Inputs as lines."""
    return x.reshape(len(x), -1)


class Asked:
    """A model that is asked through a gateway: `pass_on` says what the client reads for each input."""

    def __init__(self, module, spec, pass_on, limit):
        self.module, self.pass_on, self.limit, self.count = module, pass_on, limit, 0
        self.target = Target("watched", self._predict, spec, Traits(10, Access.SCORES, "logits", batch=1))

    def _predict(self, x):
        out = []
        for one in x:
            if self.count >= self.limit:
                raise Refused("enough")
            self.count += 1
            out.append(self.pass_on(one, lambda point: scores(self.module, point[None])[0]))
        return np.stack(out)


def scores(module, x):
    """Logits."""
    with torch.inference_mode():
        return module(torch.from_numpy(np.ascontiguousarray(x))).numpy()


def attacks(one, starts):
    """The attacks with what they may change."""
    return {
        "Square, Linf": (Square(5000), Ball("Linf", one.linf)),
        "Square, L2": (Square(5000), Ball("L2", one.l2)),
        "HopSkipJump, L2, from noise": (HopSkipJump(2000), Ball("L2", one.l2)),
        "HopSkipJump, L2, from another image": (HopSkipJump(2000, starts=starts), Ball("L2", one.l2)),
        "HopSkipJump, Linf, from another image": (HopSkipJump(2000, starts=starts), Ball("Linf", one.linf)),
    }


def ten_thousandths(hits, n):
    """A rate with its interval, in 10,000."""
    found = proportion(hits, n, seed=SEED)
    return [round(1e4 * end, 2) for end in (found.value, found.low, found.high)]


def honest(one, profile, history):
    """False alarms and time of honest inputs."""
    draw = np.random.default_rng(SEED)
    streams = [flat(np.concatenate([one.learn.x[LEARNT : LEARNT + UNLEARNT], one.test.x]))]
    if one.name == "digits":  # what the profile was learnt from is not sent past it: 500 images, in many orders
        streams = [flat(one.test.x)[draw.permutation(len(one.test))] for _ in range(24)]
    seen, signs, took = 0, Counter(), []
    for stream in streams:
        past = History(profile, history)
        for number, x in enumerate(traffic(stream, (profile.low, profile.high), profile.chosen, draw)):
            begun = time.thread_time()
            found = past.see(x, f"user{number % 50}").crossed(profile)
            took.append(time.thread_time() - begun)
            seen += 1
            signs.update(found)
            signs["any"] += bool(found)
    return {
        "honest inputs": seen,
        "false alarms": signs["any"],
        "of 10,000": ten_thousandths(signs.pop("any"), seen),
        "by sign": dict(signs),
        "CPU ms an input": {f"p{at}": round(float(np.percentile(took, at)) * 1e3, 3) for at in (50, 99, 99.9)},
    }


def alone(one, profile, module):
    """One question that is made of so much noise, no other asked before: how many are noticed, how many win."""
    draw, size = np.random.default_rng(SEED), one.size
    shapes = {"stripes down (Square's)": (1, 1, size), "stripes across": (1, size, 1), "each pixel": (1, size, size)}
    noises = {name: draw.choice([-1.0, 1.0], (ALONE, *shape)) for name, shape in shapes.items()}
    noises["uniform"] = draw.uniform(-1, 1, (ALONE, 1, size, size))
    x, y = one.test.x[:ALONE], one.test.y[:ALONE]
    out = {}
    for name, noise in noises.items():
        asked = np.clip(x + one.linf * noise, 0, 1).astype(np.float32)
        noticed = sum(bool(History(profile, 1).see(point, "").crossed(profile)) for point in flat(asked))
        out[name] = {"noticed": str(proportion(noticed, ALONE, seed=SEED))}
        right, still = (scores(module, part).argmax(axis=1) == y for part in (x, asked))
        out[name]["wins"] = str(proportion(int((right & ~still).sum()), int(right.sum()), seed=SEED))
    return out


def flagged(one, profile, past, module, rows, starts):
    """Every attack's runs: how many are noticed, after how many questions."""
    out = {}
    for name, (attack, ball) in attacks(one, starts).items():
        firsts, lengths = [], []
        for row in rows:
            history, noticed = copy.deepcopy(past), []

            def pass_on(point, model, history=history, noticed=noticed, row=row):
                noticed.append(bool(history.see(point.ravel(), f"account{row}-{len(noticed) % 10}").crossed(profile)))
                return model(point)

            asked = Asked(module, one.spec, pass_on, QUESTIONS)
            x, y = (torch.from_numpy(part[[row]]) for part in (one.test.x, one.test.y))
            with contextlib.suppress(Refused):
                attack.perturb(Problem(asked.target, ball, x, y, SEED + int(row)))
            lengths.append(len(noticed))
            firsts.append(noticed.index(True) + 1 if any(noticed) else 0)
        caught = sum(first > 0 for first in firsts)
        out[name] = {
            "noticed": str(proportion(caught, len(firsts), seed=SEED)),
            "runs": len(firsts),
            "caught": caught,
            "question noticed, median and 90 %": [
                float(np.percentile([f for f in firsts if f] or [0], at)) for at in (50, 90)
            ],
            "length of the runs missed": [length for length, first in zip(lengths, firsts, strict=True) if not first],
        }
    return out


class Client:
    """Asks through the watch from ten accounts. One who adapts blurs what was refused until it is let through.

    After OARS (Feng et al., 2023): what is refused tells the attacker how far apart questions must be.
    """

    def __init__(self, how, watch, label, seed):
        self.how, self.watch, self.label, self.draw = how, watch, label, np.random.default_rng(seed)
        self.noise, self.refused, self.sent = 0.0, 0, 0

    def __call__(self, point, model):
        """Return the logits that the attacker reads for one input."""
        if self.how == "no watch":
            return model(point)
        for _ in range(4 if "adaptive" in self.how else 1):
            sent = np.clip(point + self.draw.uniform(-1, 1, point.shape) * self.noise, 0, 1).astype(np.float32)
            answer = self.watch.see(sent.ravel(), f"account{self.sent % 10}", 0.0).answer
            self.sent += 1
            if answer in ("block", "suspend"):
                self.refused += 1
                self.noise = min(self.noise * 1.3 + 0.02, 0.5) if "adaptive" in self.how else 0.0
                continue
            self.noise = max(self.noise * 0.97 - 0.001, 0.0)
            said = model(sent)
            return said if answer is None else np.where(np.arange(10) == said.argmax(), 5.0, -5.0)
        return np.where(np.arange(10) == self.label, 10.0, -10.0)  # no answer: as if nothing was won


def fallen(one, profile, module, rows, how):
    """How many examples fall to Square in `LONG` questions: without a watch, with it, and to an attacker who adapts."""
    steps = (*LADDER, *([PredictStep(20, "suspend")] if "suspended" in how else []))
    judge = Target("judge", lambda z: scores(module, z), one.spec, Traits(10, Access.SCORES, "logits"))
    won, refused = 0, []
    for row in rows:
        watch = Suspicions(profile, steps, history=Predict().history, forget_s=3600.0)
        client = Client(how, watch, int(one.test.y[row]), int(row))
        asked = Asked(module, one.spec, client, LONG)
        x, y = (torch.from_numpy(part[[row]]) for part in (one.test.x, one.test.y))
        problem = Problem(asked.target, Ball("Linf", one.linf), x, y, SEED + int(row))
        found = Square(LONG).perturb(problem)
        won += bool(is_fooled(Problem(judge, problem.ball, x, y), found)[0])
        refused.append(client.refused)
    return {"fell": str(proportion(won, len(rows), seed=SEED)), "questions refused, mean": float(np.mean(refused))}


def attacked(one, profile, history, kind):
    """Every attack on one network, with a history of honest inputs."""
    past = History(profile, history)
    past.remember(flat(np.concatenate([one.learn.x[LEARNT : LEARNT + UNLEARNT], one.test.x])))
    module = one.module(kind)
    right = np.flatnonzero(scores(module, one.test.x).argmax(axis=1) == one.test.y)
    rows, starts = right[:RUNS], torch.from_numpy(one.test.x[right[-150:]])
    return {
        "accuracy": round(len(right) / len(one.test), 4),
        "one question alone, Linf": alone(one, profile, module),
        "attacks": flagged(one, profile, past, module, rows, starts),
        f"Square, Linf, {LONG} questions over 10 accounts": {
            how: fallen(one, profile, module, right[RUNS : RUNS + ATTACKED_LONG], how)
            for how in ("no watch", "watched", "adaptive", "adaptive, suspended")
        },
    }


def queries(one, out, parts):
    """Run the parts of one data set and sum up what is there of all of them."""
    size, history, begun = one.size**2, Predict().history, time.process_time()
    learnt = flat(one.learn.x)[:LEARNT]
    profile = calibrated(learnt, (np.zeros(size, np.float32), np.ones(size, np.float32)), seed=SEED, history=history)
    out |= {"calibration CPU s": round(time.process_time() - begun, 1), "facts": dict(profile.facts)}
    for part in parts:
        begun = time.process_time()
        out[part] = honest(one, profile, history) if part == "honest" else attacked(one, profile, history, part)
        out[part]["CPU s"] = round(time.process_time() - begun)
    every = Counter()
    for kind in KINDS:
        for name, runs in out.get(kind, {}).get("attacks", {}).items():
            every.update({name.split(",")[0]: runs["caught"], name.split(",")[0] + " runs": runs["runs"]})
    for name in ("Square", "HopSkipJump"):
        if every[f"{name} runs"]:
            noticed = proportion(every[name], every[f"{name} runs"], seed=SEED)
            out[f"{name} noticed within {QUESTIONS} questions"] = str(noticed)
    print(one.name, json.dumps(out, indent=1), flush=True)


def main():
    """Run the data sets and parts that are named and keep the others' results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--part", choices=PARTS, action="append")
    args = parser.parse_args()
    torch.set_num_threads(1)
    found = json.loads(RESULT.read_text()) if RESULT.exists() else {"sets": {}}
    found |= {"version": __version__, "torch": torch.__version__, "python": platform.python_version(), "seed": SEED}
    for one in settings():
        if not args.sets or one.name in args.sets:
            queries(one, found["sets"].setdefault(one.name, {}), args.part or PARTS)
            RESULT.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
