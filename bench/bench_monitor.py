"""Extraction traffic: what the gateway's monitor notices beside PRADA, at what cost, and where it fails.

`make bench-monitor` (ARGS="MNIST" names one data set). Needs mnist.npz in build/lab-data and Debian's package
dataset-fashion-mnist (MIT; FOLDER of its files as `--fashion`). One thread. The model is a small convolutional network;
the sketch is made of 12,000 images that neither it nor the thief knows. Thieves ask 2,000 questions, labels only, in
every way of `lab/extraction/surrogates.py`, and honest accounts ask as often as theirs. Every honest account asks about
some classes more than others, about easy or hard images, and has its own brightness, contrast and grain: the family
that the sketch is calibrated with, three times as strong in one row. A run detects when a window of one of the thief's
accounts, or of newcomers, is noticed; a false alarm is a window of an honest account that is. Limits come from
honest inputs alone, but the monitor's constants (how much clients differ, how strongly that is levelled) were chosen
with these attacks on these data sets in view: other data will give other figures. PRADA's limit is the quantile at the
same rate of half of these honest accounts, near their least value. What thieves asked is kept in build/monitor. All
of it takes eight minutes of CPU; `--short` measures three scenes and four ways.
"""

import argparse
import json
import platform
import time
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.core.sections.predict import Predict
from bartizan.gateway.predict.accounts import BLOCK, Accounts
from bartizan.gateway.predict.copying import Copies
from bartizan.gateway.predict.exposure import Exposure
from bartizan.gateway.predict.model import Prediction
from bartizan.gateway.predict.sketch import doubt
from bartizan.gateway.predict.sketching import RATE, Honest, sketched
from bartizan.lab.extraction.prada import normality
from bartizan.lab.extraction.surrogates import Copy, Jacobian, LeastSure, Noise, Plan, Records, steal
from bartizan.lab.hardening.adversarial_training import Recipe, trained
from bartizan.lab.labelled import Labelled, load
from bartizan.lab.reference_classifier import small_cnn
from bartizan.lab.target import Arrays

SEED = 20261129
RESULT = Path(__file__).parent / "results" / "monitor.json"
SHAPE = (1, 28, 28)
BOUNDS = (np.zeros(784, np.float32), np.ones(784, np.float32))
ROUNDS = (150, 500, 1000, 2000)
HONEST, RUNS = 120, 16
SCENES = {
    "one account": (1, 1.0),
    "ten accounts, 25 % of all traffic": (10, 1.0),
    "ten accounts, 25 % of their own questions": (10, 0.25),
    "ten accounts, 10 % of their own questions": (10, 0.10),
    "a hundred accounts, 25 % of their own questions": (100, 0.25),
}
"""Accounts of the thief, and the share of their questions that is not cover taken from honest inputs."""
SIGNS = ("far", "doubt", "hard", "kin", "newcomers")
MUST = ("Knockoff", "Jacobian", "random", "active")


def sets(fashion):
    """Both data sets, each with the other's images for Knockoff."""
    with np.load("build/lab-data/mnist.npz") as file:
        mnist = [
            Labelled((file[f"x{part}"].reshape(-1, *SHAPE) / 255).astype(np.float32), file[f"y{part}"].astype(int))
            for part in ("tr", "te")
        ]
    other = [load(fashion / f"{part}-images-idx3-ubyte.gz").shaped(SHAPE) for part in ("train", "t10k")]
    mnist, other = ([one.shuffled(SEED) for one in pair] for pair in (mnist, other))
    return {"MNIST": (*mnist, other[0]), "Fashion-MNIST": (*other, mnist[0])}


def model(learn):
    """The victim."""
    recipe = Recipe("none", 0.1, epochs=3, seed=SEED)
    module = trained(small_cnn(28, seed=SEED), learn, Arrays(SHAPE, 0.0, 1.0), recipe)
    return Copy(module.eval(), np.zeros((0, *SHAPE), np.float32), np.zeros(0))


def flat(x):
    """Images as lines."""
    return x.reshape(len(x), -1)


def unexpected(sketch, victim, x):
    """What the monitor sees of questions."""
    scores = victim.scores(x)
    return sketch.unexpected(sketch.place(flat(x)), scores.argmax(axis=1), doubt(scores, len(x)))


def account(pool, hard, draw, harsh=1.0):
    """1,024 honest questions of one account: a mix of classes, easy or hard ones, brightness, contrast, grain."""
    liked = draw.dirichlet(np.full(10, 0.5))
    weight = (liked[pool.y] + 1e-6) * np.exp(harsh * 0.15 * draw.normal() * hard)
    x = pool.x[draw.choice(len(pool), 1024, replace=False, p=weight / weight.sum())]
    bright, contrast, grain = 0.02 * draw.normal(), 0.03 * draw.normal(), 0.02 * draw.uniform()
    seen = x * (1 + harsh * contrast) + harsh * bright + harsh * grain * draw.normal(size=x.shape)
    return np.clip(seen, 0, 1).astype(np.float32)


def ways(own, others):
    """Every way of stealing; the last two are what a thief who knows the monitor does."""
    return (
        Records("Knockoff", others[:20000]),
        Jacobian(own[:150]),
        Noise(),
        LeastSure(own),
        Jacobian(own[:150], 0.02, "Jacobian, steps of 0.02"),
        Records("own records at random", own),
    )


def stolen(victim, own, others, truth, seed):
    """Ask in every way; return the questions and how good the copy was after each round."""
    out = {}
    for way in ways(own, others):
        curve = []
        plan = Plan(SHAPE, ROUNDS, seed, 200)
        copy = steal(
            victim.labels, way, lambda: small_cnn(28, seed=1), plan,
            lambda copy, curve=curve: curve.append(float((copy.labels(truth[0]) == truth[1]).mean())),
        )  # fmt: skip
        out[way.name] = (copy.asked, curve)
    return out


def streams(scene, attack, bank, cover, draw):
    """Return the rows of each account of the thief and of the honest beside it: their blocks take turns."""
    accounts, share = scene
    count = max(BLOCK, int(len(attack) / accounts / share) // BLOCK * BLOCK)
    thieves, at = [], 0
    for _ in range(accounts):
        rows = cover[draw.integers(0, len(cover), min(count, 4096))].copy()
        mine = np.flatnonzero(draw.random(len(rows)) < share)
        rows[mine] = attack[(at + np.arange(len(mine))) % len(attack)]
        at += len(mine)
        thieves.append((rows, np.isin(np.arange(len(rows)), mine)))
    honest = [bank[one] for one in draw.choice(len(bank), 3 * min(accounts, 20), replace=False)]
    return thieves, honest


def run(sketch, scene, attack, bank, cover, seed):
    """One run: questions until the thief is noticed (0: never), by what, honest windows noticed, and of how many."""
    draw = np.random.default_rng(seed)
    thieves, honest = streams(scene, attack, bank, cover, draw)
    past, limits = Accounts(sketch), sketch.limits
    asked, first, by, false, windows = 0, 0, "", 0, 0
    for turn in range(max(len(rows) for rows, _ in thieves) // BLOCK):
        part = slice(turn * BLOCK, (turn + 1) * BLOCK)
        for number, (rows, mine) in enumerate(thieves):
            taken = past.take(f"thief {number}", "", rows[part])
            asked += int(mine[part].sum())
            for one in taken.scores:
                signs = one.past(limits)
                if signs and not first:
                    first, by = asked, signs[0]
            if not first and any(near.past(limits) for near in taken.near):
                first, by = asked, "newcomers"
        for number, rows in enumerate(honest):
            if len(rows[part]):
                for one in past.take(f"user {number}", "", rows[part]).scores:
                    windows += 1
                    false += bool(one.past(limits))
        if first and turn >= 7:
            break
    return first, by, false, windows


def scenes(sketch, attacks, bank, cover, among):
    """The scenes `among` all with every way, and how often honest windows were noticed meanwhile."""
    out, false, windows, must = {}, 0, 0, {name: [0, 0] for name in among}
    for name, scene in among.items():
        for way, rows in attacks.items():
            found = [run(sketch, scene, rows, bank, cover, SEED + number) for number in range(RUNS)]
            caught = [one for one in found if one[0]]
            out.setdefault(name, {})[way] = {
                "detected": str(proportion(len(caught), RUNS, seed=SEED)),
                "thief's questions before, median": float(np.median([one[0] for one in caught])) if caught else None,
                "first noticed by": {by: sum(one[1] == by for one in caught) for by in SIGNS},
            }
            false, windows = false + sum(one[2] for one in found), windows + sum(one[3] for one in found)
            if way in MUST:
                must[name] = [must[name][0] + len(caught), must[name][1] + RUNS]
        print(name, json.dumps(out[name], indent=1), flush=True)
    told = {name: str(proportion(*pair, seed=SEED)) for name, pair in must.items()}
    beside = str(proportion(false, windows, seed=SEED))
    return {"by way": out, "the four ways together": told, "honest windows noticed beside attacks": beside}


def alarms(sketch, bank):
    """False alarms where everybody is honest."""
    past, limits, noticed, windows, ever, groups = Accounts(sketch), sketch.limits, 0, 0, set(), []
    for turn in range(1024 // BLOCK):
        for number, rows in enumerate(bank):
            taken = past.take(f"user {number}", "", rows[turn * BLOCK : (turn + 1) * BLOCK])
            groups += [bool(one.past(limits)) for one in taken.near]
            for one in taken.scores:
                windows += 1
                if one.past(limits):
                    noticed += 1
                    ever.add(number)
    return {
        "windows": str(proportion(noticed, windows, seed=SEED)),
        "windows of newcomers": str(proportion(sum(groups), len(groups), seed=SEED)),
        "accounts noticed at least once in 1,024 questions": str(proportion(len(ever), len(bank), seed=SEED)),
    }


def prada(victim, images, attacks, cover):
    """The baseline on one account at a time: the same scenes, a limit from half of the honest accounts."""

    def worst(x):
        labels = victim.labels(x)
        return min(normality(flat(x[:size]), labels[:size]) for size in (128, 256, 512, 1024) if size <= len(x))

    values = [worst(x) for x in images]
    limit = float(np.quantile(values[::2], RATE))
    others = values[1::2]
    out = {"limit": limit}
    out["honest accounts noticed"] = str(proportion(sum(one < limit for one in others), len(others), seed=SEED))
    draw = np.random.default_rng(SEED)
    for share in (1.0, 0.25):
        for way, x in attacks.items():
            hits = 0
            for _ in range(RUNS):
                start = draw.integers(0, len(x) - 800)
                rows = cover[draw.choice(len(cover), 800, replace=False)].copy()
                mine = np.flatnonzero(draw.random(800) < share)
                rows[mine] = x[(start + np.arange(len(mine))) % len(x)]
                hits += worst(rows) < limit
            out[f"{way}, {share:.0%} of an account's questions"] = str(proportion(hits, RUNS, seed=SEED))
    return out


def exposure(sketch, victim, found):
    """The meter's estimate beside the real copy's agreement, for every way and round."""
    pairs = {}
    for way, (x, curve) in found.items():
        meter, at, row = Exposure(10), 0, []
        labels, places = victim.labels(x), sketch.place(flat(x))
        for count, real in zip(ROUNDS, curve, strict=True):
            meter.add(places[at:count], labels[at:count])
            at = count
            row.append([count, round(meter.estimate(sketch), 3), round(real, 3)])
        pairs[way] = row
    every = np.array([one[1:] for row in pairs.values() for one in row])
    return {"questions, estimated, copy": pairs, "rank correlation": round(float(spearmanr(*every.T).statistic), 3)}


def cost(sketch, victim, x):
    """CPU of the monitor for one question at a time."""
    copies, took = Copies(sketch, Predict(), 10), []
    scores = victim.scores(x)
    for row in range(len(x)):
        begun = time.thread_time()
        copies.standing(f"user {row % 200}", "", 0.0)
        said = Prediction(scores[row : row + 1], scores[row : row + 1].argmax(axis=1))
        copies.learn(f"user {row % 200}", "", flat(x[row : row + 1]), said, 0.0)
        took.append(time.thread_time() - begun)
    return {f"p{at}": round(float(np.percentile(took, at)) * 1e3, 3) for at in (50, 99, 99.9)}


def prepared(name, learn, test, others):
    """The victim and what every thief asked it, kept in build/monitor: they decide nothing about the monitor."""
    folder = Path("build/monitor")
    folder.mkdir(parents=True, exist_ok=True)
    weights, traces = folder / f"{name}.pth", folder / f"{name}.npz"
    if not weights.exists():
        torch.save(model(learn.first(20000)).module.state_dict(), weights)
    module = small_cnn(28, seed=SEED)
    module.load_state_dict(torch.load(weights, weights_only=True))
    victim = Copy(module.eval(), np.zeros((0, *SHAPE), np.float32), np.zeros(0))
    if not traces.exists():
        found = stolen(victim, learn.x[32000:42000], others.x, (test.x[:5000], victim.labels(test.x[:5000])), SEED)
        asked = {f"x {way}": x for way, (x, _) in found.items()}
        np.savez(traces, **asked, **{f"y {way}": curve for way, (_, curve) in found.items()})
    with np.load(traces) as file:
        ways = [one[2:] for one in file.files if one.startswith("x ")]
        return victim, {way: (file[f"x {way}"], file[f"y {way}"].tolist()) for way in ways}


def measured(name, learn, test, others, short):
    """Everything about one data set; in `short`, the first three scenes in the four ways, and the false alarms."""
    victim, found = prepared(name, learn, test, others)
    usual = learn.x[20000:32000]
    scores = victim.scores(usual)
    begun = time.process_time()
    sketch = sketched(
        Honest(flat(usual), scores.argmax(axis=1), scores, BOUNDS, lambda x: victim.scores(x.reshape(-1, *SHAPE))),
        seed=SEED,
    )
    out = {
        "model's accuracy": round(float((victim.labels(test.x) == test.y).mean()), 4),
        "sketch CPU s": round(time.process_time() - begun, 1),
        "limits": vars(sketch.limits),
    }
    pool = Labelled(np.concatenate([learn.x[42000:], test.x]), np.concatenate([learn.y[42000:], test.y]))
    draw = np.random.default_rng(SEED)
    unsure = doubt(victim.scores(pool.x), len(pool))
    hard = (np.argsort(np.argsort(unsure)) / len(pool) - 0.5) * 2
    images = [account(pool, hard, draw) for _ in range(HONEST)]
    bank = [unexpected(sketch, victim, x) for x in images]
    out["false alarms"] = alarms(sketch, bank)
    harsh = [unexpected(sketch, victim, account(pool, hard, draw, 3.0)) for _ in range(30)]
    out["false alarms of accounts with three times the look"] = alarms(sketch, harsh)
    if short:
        cover = unexpected(sketch, victim, pool.x[:10000])
        four = {way: unexpected(sketch, victim, found[way][0]) for way in MUST}
        return out | {"scenes": scenes(sketch, four, bank, cover, dict(list(SCENES.items())[:3]))}
    print(json.dumps(out, indent=1), flush=True)
    out["exposure"] = exposure(sketch, victim, found)
    print(json.dumps(out["exposure"], indent=1), flush=True)
    cover = unexpected(sketch, victim, pool.x[:10000])
    out["scenes"] = scenes(
        sketch, {way: unexpected(sketch, victim, x) for way, (x, _) in found.items()}, bank, cover, SCENES
    )
    out["PRADA"] = prada(victim, images, {way: x for way, (x, _) in found.items()}, pool.x[:10000])
    out["CPU ms a question"] = cost(sketch, victim, pool.x[:3000])
    print(json.dumps({name: out[name] for name in ("PRADA", "CPU ms a question")}, indent=1), flush=True)
    return out


def main():
    """Run the data sets that are named and keep the others' results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--prepare", action="store_true", help="only ask what the thieves ask")
    parser.add_argument("--short", action="store_true", help="three scenes and four ways only")
    parser.add_argument("--fashion", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {"sets": {}}
    result |= {"version": __version__, "torch": torch.__version__, "python": platform.python_version(), "seed": SEED}
    result |= {"runs a cell": RUNS, "rate asked for": RATE}
    for name, (learn, test, others) in sets(args.fashion).items():
        if not args.sets or name in args.sets:
            if args.prepare:
                prepared(name, learn, test, others)
                continue
            begun = time.process_time()
            found = {**measured(name, learn, test, others, args.short), "CPU s": round(time.process_time() - begun)}
            where = "short" if args.short else "sets"
            result[where] = result.get(where, {}) | {name: found}
            if not args.short:  # holds all that the short run does
                result.get("short", {}).pop(name, None)
            RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
