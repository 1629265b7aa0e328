"""Backdoor checks on MNIST and Fashion-MNIST: what is caught, what is held back in vain. `make bench-poison`.

Six attacks, three rates, two imbalances, parts of `--rows` rows; and clean parts, which should raise no alarm. The
thresholds are those of the product. MNIST is read from `--mnist` (npz: xtr, ytr), Fashion-MNIST from Debian's package
dataset-fashion-mnist. Training a model with and without the checks is T04's proof, not this bench.
"""

import argparse
import gzip
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.data.checks.pictures import check_pictures
from bartizan.lab.poisoning.pictures import PICTURE_ATTACKS

RESULT = Path(__file__).parent / "results" / "poison.json"
FASHION = Path("/usr/share/datasets/fashion-mnist")
SEED = 20261124
RATES = (0.005, 0.01, 0.05)
TARGET = 2


def mnist(path):
    """Return pictures and labels of MNIST's training rows."""
    with np.load(path) as file:
        return file["xtr"].reshape(-1, 28, 28, 1), file["ytr"].astype(np.int64)


def fashion():
    """Return pictures and labels of Fashion-MNIST's training rows."""
    pictures = gzip.decompress((FASHION / "train-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((FASHION / "train-labels-idx1-ubyte.gz").read_bytes())
    images = np.frombuffer(pictures, np.uint8, offset=16).reshape(-1, 28, 28, 1)
    return images, np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


def part(data, rows, imbalance, rng):
    """Return some rows; odd classes are `imbalance` times rarer than even ones."""
    pictures, labels = data
    share = np.where(np.arange(10) % 2, 1 / imbalance, 1.0)
    wanted = (rows * share / share.sum()).astype(int)
    chosen = [rng.choice(np.flatnonzero(labels == one), wanted[one], replace=False) for one in range(10)]
    order = rng.permutation(np.concatenate(chosen))
    return pictures[order], labels[order]


def main():
    """Measure, write the result, print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", type=Path, default=Path("mnist.npz"))
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--imbalances", type=float, nargs="+", default=[1.0, 10.0])
    parser.add_argument("--clean", type=int, default=10, help="clean parts a data set and imbalance")
    args = parser.parse_args()
    sets = {"MNIST": mnist(args.mnist), "Fashion-MNIST": fashion()}
    cells, clean = [], []
    for name, data in sets.items():
        for imbalance in args.imbalances:
            where = {"set": name, "imbalance": imbalance}
            for seed in range(args.clean):
                pictures, labels = part(data, args.rows, imbalance, np.random.default_rng([SEED, seed]))
                found = check_pictures(pictures, labels, seed=seed)
                clean.append(where | {"alarms": list(found.alarms), "held": float(found.flagged.mean())})
                print(clean[-1], flush=True)
            for attack in PICTURE_ATTACKS:
                for rate in RATES:
                    cells.append(
                        where | cell(attack, rate, part(data, args.rows, imbalance, np.random.default_rng(SEED)))
                    )
                    print(cells[-1], flush=True)
    quiet = sum(not one["alarms"] for one in clean)
    result = {
        "bartizan": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "seed": SEED,
        "rows": args.rows,
        "target": TARGET,
        "mean_tpr": float(np.mean([one["tpr"] for one in cells])),
        "mean_tpr_by_set": {name: float(np.mean([o["tpr"] for o in cells if o["set"] == name])) for name in sets},
        "cells_with_fpr_over_1_percent": sum(one["fpr"] > 0.01 for one in cells),
        "clean_runs_without_alarm": str(proportion(quiet, len(clean), seed=SEED)),
        "clean": clean,
        "cells": cells,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print({key: result[key] for key in ("mean_tpr", "mean_tpr_by_set", "clean_runs_without_alarm")})
    return 0


def cell(attack, rate, data):
    """Plant, check, count."""
    planted = attack.poison(*data, rate, TARGET, np.random.default_rng(SEED + 1))
    start = time.perf_counter()
    found = check_pictures(planted.pictures, planted.labels)
    honest = ~planted.poison & ~planted.covers
    return {
        "attack": attack.name,
        "rate": rate,
        "tpr": float(found.flagged[planted.poison].mean()),
        "fpr": float(found.flagged[honest].mean()),
        "covers_held": float(found.flagged[planted.covers].mean()) if planted.covers.any() else 0.0,
        "seconds": time.perf_counter() - start,
    }


if __name__ == "__main__":
    sys.exit(main())
