"""Backdoor checks on MNIST and Fashion-MNIST: what is caught, what is held back in vain. `make bench-poison`.

Six attacks, three rates, two imbalances, parts of `--rows` rows; and clean parts, which should raise no alarm. The
thresholds are those of the product; they were set on other parts (seeds below 9000), with other targets. `--attacks`
without a name looks at clean parts alone, also of scikit-learn's digits (`--sets digits --rows 700`), and with
`--large 10` at parts of which one class is that many times as large as each other one. At `--trained` of the rows and
no imbalance a small network is also trained with all rows and without those that are flagged, and the Adversarial
Robustness Toolbox looks at the same rows. MNIST is read from `--mnist` (npz: xtr, ytr), Fashion-MNIST from the folder
of Debian's package dataset-fashion-mnist. The last 10,000 rows of each are for the test
(the last fifth of the digits).

Every row of the result is kept in `--kept` as soon as it is measured; the same command given again goes on where it
was stopped, as long as neither checks nor attacks have changed. `--peers kept` takes what does not depend on the checks
(the networks trained with all rows, and the toolbox) from the last result instead of measuring it again.
"""

import argparse
import functools
import hashlib
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np
import torch
from bench import labelled_sets, poison_peers

from bartizan import __version__, data, lab
from bartizan.core.measures import proportion
from bartizan.data.checks.pictures import check_pictures
from bartizan.lab.poisoning.pictures import PICTURE_ATTACKS
from bartizan.lab.poisoning.training import answers, backdoor_hits, trained

SOURCES = (Path(data.__file__).parent / "checks", Path(lab.__file__).parent / "poisoning")
RESULT = Path(__file__).parent / "results" / "poison.json"
FASHION = Path("/usr/share/datasets/fashion-mnist")
SEED = 20261124
RATES = (0.005, 0.01, 0.05)
TARGET, TESTED = 2, 2000


def part(data, rows, imbalance, rng):
    """Return some rows; odd classes are `imbalance` times rarer than even ones."""
    return drawn(data, rows, np.where(np.arange(10) % 2, 1 / imbalance, 1.0), rng)


def with_one_large(data, rows, times, rng):
    """Return some rows; one class, drawn too, has `times` as many as each other one."""
    share = np.ones(10)
    share[rng.integers(10)] = times
    return drawn(data, rows, share, rng)


def drawn(data, rows, share, rng):
    """Return some rows, of each class its share."""
    pictures, labels = data
    wanted = (rows * share / share.sum()).astype(int)
    chosen = [rng.choice(np.flatnonzero(labels == one), wanted[one], replace=False) for one in range(10)]
    order = rng.permutation(np.concatenate(chosen))
    return pictures[order], labels[order]


def checked(planted):
    """Check, count."""
    start = time.process_time()
    found = check_pictures(planted.pictures, planted.labels)
    honest = ~planted.poison & ~planted.covers
    return found.flagged, {
        "tpr": float(found.flagged[planted.poison].mean()),
        "fpr": float(found.flagged[honest].mean()),
        "covers_held": float(found.flagged[planted.covers].mean()) if planted.covers.any() else 0.0,
        "cpu_s": round(time.process_time() - start, 2),
    }


def learnt(planted, flagged, honest, test, known):
    """Train with all rows and without the flagged ones; say how often the trigger wins, and what accuracy is lost.

    `honest` returns a network trained on the same part before it was poisoned. Where `known` is what was learnt about
    the same rows before, only the network without the flagged rows is trained.
    """
    pictures, labels = test
    triggered = planted.trigger(pictures)
    kept = planted.pictures[~flagged], planted.labels[~flagged]
    models = {"without flagged": trained(*kept, 10, seed=SEED)}
    if known is None:
        models["an honest network"] = honest()
        models["all rows"] = trained(planted.pictures, planted.labels, 10, seed=SEED)
    wins = {
        name: float(backdoor_hits(model, triggered, labels, TARGET, planted.sources).mean())
        for name, model in models.items()
    }
    accuracy = {name: float((answers(model, pictures) == labels).mean()) for name, model in models.items()}
    if known is not None:
        return known["peers"], {
            what: known["learnt"][what] | now for what, now in (("trigger_wins", wins), ("accuracy", accuracy))
        }
    peers = poison_peers.peers(models["all rows"], planted, planted.poison.mean(), test[0][-200:], SEED)
    return peers, {"trigger_wins": wins, "accuracy": accuracy}


class Journal:
    """Rows that were measured before with the same sources, in a file of JSON lines; new ones are added to it."""

    def __init__(self, path, common):
        texts = [file.read_bytes() for folder in SOURCES for file in sorted(folder.glob("*.py"))]
        self.path, self.common = path, common | {"sources": hashlib.sha256(b"".join(texts)).hexdigest()[:16]}
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.known = dict(map(json.loads, lines))

    def row(self, what, measure):
        """Return `what` with what `measure()` says of it, or what it said before."""
        key = json.dumps(self.common | what, sort_keys=True)
        if key not in self.known:
            self.known[key] = what | measure()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, self.known[key]]) + "\n")
        return self.known[key]


def grid(name, data, test, args, known):
    """Yield a dictionary for each clean part and each cell; `known` are cells of the last result."""
    journal = Journal(args.kept, {"rows": args.rows, "trained": args.trained})
    ways = [(imbalance, {}, part) for imbalance in args.imbalances]
    ways += [(args.large, {"one class": "large"}, with_one_large)] if args.large > 1 else []
    for imbalance, how, draw in ways:
        where = {"set": name, "imbalance": imbalance} | how
        for seed in range(args.first, args.first + args.clean):
            rows = functools.partial(draw, data, args.rows, imbalance, np.random.default_rng([SEED, seed]))
            yield journal.row({"clean": True} | where | {"seed": seed}, functools.partial(clean, rows, seed))
    for imbalance in args.imbalances if args.attacks else []:
        where = {"set": name, "imbalance": imbalance}
        rows = part(data, args.rows, imbalance, np.random.default_rng(SEED))
        honest = functools.cache(functools.partial(trained, *rows, 10, seed=SEED))
        for attack in (one for one in PICTURE_ATTACKS if one.name in args.attacks):
            for rate in args.rates:
                what = {"clean": False} | where | {"attack": attack.name, "rate": rate}
                learn = None
                if imbalance == 1 and rate == args.trained:
                    learn = functools.partial(learnt, honest=honest, test=test, known=known.get(named(what)))
                yield journal.row(what, functools.partial(cell, rows, attack, rate, learn))


def clean(rows, seed):
    """Check a clean part."""
    found = check_pictures(*rows(), seed=seed)
    return {"alarms": list(found.alarms), "held": float(found.flagged.mean())}


def cell(rows, attack, rate, learn):
    """Plant, check, and train where that is asked for."""
    planted = attack.poison(*rows, rate, TARGET, np.random.default_rng(SEED + 1))
    flagged, found = checked(planted)
    if learn is not None:
        found["peers"], found["learnt"] = learn(planted, flagged)
    return found


def named(what):
    """A key for a row of the result."""
    return json.dumps({name: what[name] for name in ("set", "imbalance", "attack", "rate")}, sort_keys=True)


def summary(cells, clean):
    """Means over the cells, by set and imbalance, and what the peers do on theirs."""
    groups = sorted({(one["set"], one["imbalance"]) for one in cells})
    told = [one for one in cells if "learnt" in one]
    found = {
        "mean_tpr": float(np.mean([one["tpr"] for one in cells])),
        "mean_tpr_at_most_1_percent_fpr": float(np.mean([one["tpr"] * (one["fpr"] <= 0.01) for one in cells])),
        "groups": {
            f"{name}, imbalance {imbalance:g}": {
                "mean_tpr": float(
                    np.mean([o["tpr"] for o in cells if (o["set"], o["imbalance"]) == (name, imbalance)])
                ),
                "clean_without_alarm": unalarmed([o for o in clean if (o["set"], o["imbalance"]) == (name, imbalance)]),
            }
            for name, imbalance in groups
        },
        "cells_with_fpr_over_1_percent": f"{sum(one['fpr'] > 0.01 for one in cells)} of {len(cells)}",
        "largest_fpr": max(one["fpr"] for one in cells),
        "clean_runs_without_alarm": unalarmed(clean),
    }
    if told:
        found["peers"] = {
            name: {key: float(np.mean([one["peers"][name][key] for one in told])) for key in ("tpr", "fpr")}
            for name in told[0]["peers"]
        } | {"bartizan": {key: float(np.mean([one[key] for one in told])) for key in ("tpr", "fpr")}}
        for what in ("trigger_wins", "accuracy"):
            found[what] = {
                name: float(np.mean([one["learnt"][what][name] for one in told])) for name in told[0]["learnt"][what]
            }
        found["cells_where_the_trigger_wins_at_most_3_percent_more_than_in_an_honest_network"] = (
            f"{sum(extra(one) <= 0.03 for one in told)} of {len(told)}"
        )
    return found


def extra(one):
    """How much more often the trigger wins without the flagged rows than in a network that never saw it."""
    wins = one["learnt"]["trigger_wins"]
    return wins["without flagged"] - wins["an honest network"]


def unalarmed(clean):
    """Say how many clean parts raise no alarm."""
    return str(proportion(sum(not one["alarms"] for one in clean), len(clean), seed=SEED))


def last(rows):
    """Return the cells of the last result by what they are; none if it was of other rows."""
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    if (result["rows"], result["seed"], result["target"]) != (rows, SEED, TARGET):
        return {}
    return {named(one): one for one in result["cells"] if "learnt" in one}


def main():
    """Measure, write the result, print its summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", type=Path, default=Path("build/lab-data/mnist.npz"))
    parser.add_argument("--fashion", type=Path, default=FASHION)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--imbalances", type=float, nargs="+", default=[1.0, 10.0])
    parser.add_argument("--clean", type=int, default=10, help="clean parts a data set and imbalance")
    parser.add_argument("--first", type=int, default=9000, help="seed of the first clean part of each")
    parser.add_argument("--large", type=float, default=1, help="clean parts with one class so many times larger, too")
    parser.add_argument("--trained", type=float, default=0.01, help="rate at which networks are trained (0: none)")
    names = [one.name for one in PICTURE_ATTACKS]
    parser.add_argument("--attacks", nargs="*", choices=names, default=names, help="with fewer, nothing is written")
    parser.add_argument("--rates", type=float, nargs="+", default=RATES)
    usual = ["MNIST", "Fashion-MNIST"]
    parser.add_argument("--sets", nargs="+", choices=(*usual, "digits"), default=usual, help="with others, likewise")
    parser.add_argument("--kept", type=Path, default=Path("build/bench-poison.jsonl"), help="rows measured so far")
    parser.add_argument("--peers", choices=("measured", "kept"), default="measured")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.trained and args.peers == "measured":
        poison_peers.ready()
    known = last(args.rows) if args.peers == "kept" else {}
    sets = {
        "MNIST": lambda: labelled_sets.mnist(args.mnist),
        "Fashion-MNIST": lambda: labelled_sets.fashion(args.fashion),
        "digits": labelled_sets.digit_pictures,
    }
    rows = []
    for name in args.sets:
        pictures, labels = sets[name]()
        end = len(labels) - min(10_000, len(labels) // 5)
        test = pictures[end:][:TESTED], labels[end:][:TESTED]
        for row in grid(name, (pictures[:end], labels[:end]), test, args, known):
            rows.append(row)
            print(json.dumps(row), flush=True)
    quiet_or_not = [one for one in rows if one["clean"]]
    if len(args.attacks) < len(names) or len(args.rates) < len(RATES) or args.sets != usual or args.large > 1:
        if quiet_or_not:
            print("clean parts without an alarm:", unalarmed(quiet_or_not))
        return 0
    cells = [one for one in rows if not one["clean"]]
    found = summary(cells, quiet_or_not)
    result = {
        "bartizan": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "peer": poison_peers.PEER[0],
        "seed": SEED,
        "rows": args.rows,
        "target": TARGET,
        "first_clean_seed": args.first,
        "cpu_s_of_the_checks": round(sum(one["cpu_s"] for one in cells)),
        **found,
        "clean": quiet_or_not,
        "cells": cells,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
