"""Wrong labels: `bartizan data admit` against cleanlab, on the same rows in the same run. `make bench-labels`.

Asymmetric noise: each class is called the next one; of two classes only the greater is called the other. Sets whose
files are not named are left out. cleanlab (`pip install cleanlab`) decides twice: by its default rule on our
probabilities, which compares the decision alone, and by its default CleanLearning (logistic regression, five folds) on
plain features. `ours` flags what makes the expected F1 greatest, `held` what admission holds back.
"""

import argparse
import json
import platform
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
from bench import labelled_sets
from cleanlab.classification import CleanLearning
from cleanlab.filter import find_label_issues
from sklearn.feature_extraction.text import TfidfVectorizer

from bartizan import __version__
from bartizan.data.checks.features import convolved, grey, standard
from bartizan.data.checks.mislabelled import check_labels
from bartizan.data.checks.predicted import predicted
from bartizan.data.checks.vectors import table_vectors, text_vectors

RESULT = Path(__file__).parent / "results" / "labels.json"
SEED = 20261129
RATES = (0.0, 0.05, 0.1, 0.2)


def noisy(labels, rate, rng):
    """Return labels of which `rate` are wrong, and which."""
    classes = int(labels.max()) + 1
    able = np.arange(len(labels)) if classes > 2 else np.flatnonzero(labels == np.bincount(labels).argmax())
    wrong = np.zeros(len(labels), bool)
    wrong[rng.choice(able, round(rate * len(labels)), replace=False)] = True
    return np.where(wrong, (labels + 1) % classes, labels), wrong


def f1(flagged, wrong):
    """F1 of flagged rows."""
    return float(2 * (flagged & wrong).sum() / max(1, flagged.sum() + wrong.sum()))


def of_pictures(data, rows, rng):
    """Return (features, plain features, labels) of some pictures."""
    pictures, labels = data
    at = rng.permutation(len(labels))[:rows]
    pictures = pictures[at]
    return (
        lambda part: standard(convolved(grey(pictures[part]), np.random.default_rng(0))),
        pictures.reshape(len(at), -1) / 255,
        labels[at],
    )


def of_texts(data, rows, rng):
    """Return the same of some texts."""
    texts, labels = data
    at = rng.permutation(len(labels))[:rows].tolist()
    texts = [texts[one] for one in at]
    plain = TfidfVectorizer(sublinear_tf=True, min_df=2).fit_transform(texts)
    return lambda part: text_vectors([texts[one] for one in part.tolist()]), plain, labels[at]


def of_tables(data, rows, rng):
    """Return the same of some records."""
    frame, labels = data
    at = rng.permutation(len(labels))[:rows].tolist()
    frame = frame[at]
    numbers = frame.select(one.name for one in frame if one.dtype.is_numeric())
    rest = frame.drop(numbers.columns)
    plain = numbers.to_numpy().astype(float)
    plain = (plain - plain.mean(axis=0)) / (plain.std(axis=0) + 1e-9)
    if rest.width:
        plain = np.concatenate([plain, rest.to_dummies().to_numpy()], axis=1)
    return lambda part: table_vectors(frame[part.tolist()], np.random.default_rng(0)), plain, labels[at]


def cell(features, plain, labels, rate, rng):
    """Make labels wrong, look for them in each way."""
    given, wrong = noisy(labels, rate, rng)
    classes = int(labels.max()) + 1
    start = time.process_time()
    seen = predicted(features, given, classes)
    ours, held = check_labels(seen, given, budget=1.0), check_labels(seen, given)
    seconds = time.process_time() - start
    theirs = find_label_issues(given, seen, n_jobs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        issues = CleanLearning(seed=SEED, verbose=False).find_label_issues(plain, given)
    whole = issues["is_label_issue"].to_numpy()
    found = {"rate": rate, "rows": len(labels), "wrong": int(wrong.sum()), "seconds": seconds}
    found["accuracy"] = float((seen.argmax(axis=1) == labels).mean())
    for name, flagged in (
        ("ours", ours.flagged),
        ("held", held.flagged),
        ("cleanlab_rule", theirs),
        ("cleanlab", whole),
    ):
        found[name] = {"f1": f1(flagged, wrong), "fpr": float(flagged[~wrong].mean()), "flagged": int(flagged.sum())}
    return found


def main():
    """Measure, write the result, print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--fashion", type=Path)
    parser.add_argument("--adult", type=Path)
    parser.add_argument("--sentiment", type=Path, help=labelled_sets.SENTIMENT)
    args = parser.parse_args()
    sets = {
        "digits": lambda: (of_tables, labelled_sets.digits()),
        "breast cancer": lambda: (of_tables, labelled_sets.cancer()),
    }
    if args.adult:
        sets["Adult"] = lambda: (of_tables, labelled_sets.adult(args.adult))
    if args.mnist:
        sets["MNIST"] = lambda: (of_pictures, labelled_sets.mnist(args.mnist))
    if args.fashion:
        sets["Fashion-MNIST"] = lambda: (of_pictures, labelled_sets.fashion(args.fashion))
    if args.sentiment:
        sets["film reviews"] = lambda: (of_texts, labelled_sets.sentiment(args.sentiment, "movieReviewSnippets"))
        sets["tweets"] = lambda: (of_texts, labelled_sets.sentiment(args.sentiment, "tweets"))
    cells = []
    for name, opened in sets.items():
        read, data = opened()
        for seed in range(args.seeds):
            rng = np.random.default_rng([SEED, seed])
            features, plain, labels = read(data, args.rows, rng)
            for rate in RATES:
                cells.append({"set": name, "seed": seed} | cell(features, plain, labels, rate, rng))
                print(json.dumps(cells[-1]), flush=True)
    noisy_cells = [one for one in cells if one["rate"]]
    ways = ("ours", "held", "cleanlab_rule", "cleanlab")
    result = {
        "bartizan": __version__,
        "python": platform.python_version(),
        "cleanlab": version("cleanlab"),
        "scikit-learn": version("scikit-learn"),
        "numpy": np.__version__,
        "seed": SEED,
        "rows": args.rows,
        "mean_f1": {way: float(np.mean([one[way]["f1"] for one in noisy_cells])) for way in ways},
        "cells_where_ours_is_at_least": {
            way: f"{sum(one['ours']['f1'] >= one[way]['f1'] for one in noisy_cells)} of {len(noisy_cells)}"
            for way in ("cleanlab_rule", "cleanlab")
        },
        "f1_by_set": {
            name: {way: float(np.mean([one[way]["f1"] for one in noisy_cells if one["set"] == name])) for way in ways}
            for name in sets
        },
        "honest_rows_held": {
            str(rate): float(np.mean([one["held"]["fpr"] for one in cells if one["rate"] == rate])) for rate in RATES
        },
        "most_honest_rows_held": max(one["held"]["fpr"] for one in cells),
        "cells": cells,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in result.items() if key != "cells"}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
