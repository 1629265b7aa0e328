"""Networks with and without a backdoor: what `bartizan lab backdoor` tells apart and repairs. `make bench-backdoor`.

Small networks are trained on scikit-learn's digits (8 x 8) and on MNIST (`--mnist`), `--each` of them with each trigger
at `--rate` of the rows (another target, other rows and other weights each time) and as many honest ones as with all
triggers together. Each is examined with honest pictures that it was not trained with; the true trigger and the accuracy
are measured on further ones, which the examination did not see. A backdoor counts as found when its target is a
suspect, an honest network as passed when no class is. The bounds of the scan were set on other networks. Rows are kept
in `--kept` as they are measured; the same command goes on where it was stopped.
"""

import argparse
import hashlib
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np
import torch
from bench import labelled_sets
from sklearn.datasets import load_digits

from bartizan import __version__, lab
from bartizan.core.measures import proportion
from bartizan.lab.poisoning.examination import Task, examine
from bartizan.lab.poisoning.pictures import AdaptivePatch, BadNets, Blended, Warped
from bartizan.lab.poisoning.training import answers, backdoor_hits, trained

RESULT = Path(__file__).parent / "results" / "backdoor.json"
SOURCES = Path(lab.__file__).parent / "poisoning"
SEED = 20261130
ATTACKS = (BadNets(), Blended(), AdaptivePatch(), Warped())
HONEST = "none"
SPAN = (-0.5, 0.5)


def told(what, done, total):
    """Nobody looks."""


def rows(name, args):
    """Return all pictures and labels of a set, and how many serve training and the examination."""
    if name == "digits":
        digits = load_digits()
        return (digits.images * 15.9).astype(np.uint8)[..., None], digits.target.astype(np.int64), (1000, 400)
    return *labelled_sets.mnist(args.mnist), (2000, 600)


def seen(pictures):
    """Pictures as the networks read them."""
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)).astype(np.float32) / 255 - 0.5


def network(name, attack, seed, args):
    """Train a network, with a backdoor unless `attack` is None, examine and repair it, measure on rows of their own."""
    pictures, labels, (training, honest) = rows(name, args)
    rng = np.random.default_rng([SEED, seed])
    order = rng.permutation(len(labels))
    parts = np.split(order, [training, training + honest, min(len(order), training + honest + 1000)])[:3]
    own, given, test = ((pictures[part], labels[part]) for part in parts)
    target = int(rng.integers(10))
    trigger = None
    if attack is not None:
        planted = attack.poison(*own, args.rate, target, rng)
        own, trigger = (planted.pictures, planted.labels), planted.trigger(test[0])
    model = trained(*own, 10, seed=seed)
    start = time.process_time()
    found = examine(model, (seen(given[0]), given[1]), SPAN, told, Task(repair=True, seed=seed))
    return {
        "suspects": sorted({one.target for one in found.scan.suspects}),
        "target": target if attack else None,
        "repaired": found.network is not model,
        "trigger_wins": [wins(one, trigger, test[1], target) for one in (model, found.network)] if attack else None,
        "accuracy": [float((answers(one, test[0]) == test[1]).mean()) for one in (model, found.network)],
        "cpu_s": round(time.process_time() - start, 1),
    }


def wins(model, triggered, labels, target):
    """How often the true trigger turns pictures of other classes into the target."""
    return float(backdoor_hits(model, triggered, labels, target).mean())


def share(some, all_of):
    """A proportion in words."""
    return str(proportion(sum(some), len(all_of), seed=SEED)) if all_of else "none"


def summary(found):
    """What was told apart and what a repair did, by set and trigger."""
    result = {}
    for name in dict.fromkeys(one["set"] for one in found):
        result[name] = {}
        for attack in dict.fromkeys(one["attack"] for one in found):
            own = [one for one in found if (one["set"], one["attack"]) == (name, attack)]
            if attack == HONEST:
                result[name]["honest networks without a suspect"] = share([not one["suspects"] for one in own], own)
                result[name]["classes suspected in honest networks"] = sum(len(one["suspects"]) for one in own)
                continue
            result[name][attack] = {
                "found": share([one["target"] in one["suspects"] for one in own], own),
                "other_classes_suspected": sum(len(set(one["suspects"]) - {one["target"]}) for one in own),
                "trigger_wins_before_and_after": np.mean([one["trigger_wins"] for one in own], axis=0)
                .round(3)
                .tolist(),
            }
        fixed = [one for one in found if one["set"] == name and one["repaired"]]
        lost = [one["accuracy"][0] - one["accuracy"][1] for one in fixed]
        result[name]["repaired"] = len(fixed)
        result[name]["accuracy_lost_mean_and_most"] = [round(float(one), 4) for one in (np.mean(lost), np.max(lost))]
    return result


def main():
    """Measure, write the result, print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", type=Path, default=Path("build/lab-data/mnist.npz"))
    parser.add_argument("--sets", nargs="+", choices=("digits", "MNIST"), default=["digits", "MNIST"])
    parser.add_argument("--each", type=int, default=6, help="networks with each trigger")
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--kept", type=Path, default=Path("build/bench-backdoor.jsonl"), help="rows measured so far")
    args = parser.parse_args()
    torch.set_num_threads(1)
    code = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(SOURCES.glob("*.py")))).hexdigest()[:16]
    kept = dict(map(json.loads, args.kept.read_text(encoding="utf-8").splitlines())) if args.kept.exists() else {}
    args.kept.parent.mkdir(parents=True, exist_ok=True)
    found = []
    for name in args.sets:
        jobs = [(attack, seed) for seed in range(args.each) for attack in (*ATTACKS, *(None,) * len(ATTACKS))]
        for at, (attack, _) in enumerate(jobs):
            what = {"set": name, "attack": attack.name if attack else HONEST, "seed": at}
            key = json.dumps(what | {"rate": args.rate, "code": code}, sort_keys=True)
            if key not in kept:
                kept[key] = what | network(name, attack, at, args)
                with args.kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([key, kept[key]]) + "\n")
            found.append(kept[key])
            print(json.dumps(kept[key]), flush=True)
    told_apart = summary(found)
    result = {
        "bartizan": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "seed": SEED,
        "rate": args.rate,
        **told_apart,
        "networks": found,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(told_apart, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
