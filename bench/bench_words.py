"""A small classifier of texts, attacked word by word, before and after one spelling for all. `make bench-words`.

Needs train.jsonl.gz (rows with text, source, licence) in build/lab-data. The task: does a customer ask a bank
(banking77, CC BY 4.0) or an assistant (clinc, CC BY 3.0); texts of six words or more. The attacker sees scores, knows
the defence and attacks through it; the judge looks at the bound itself. Each figure: share of all test texts answered
rightly.
"""

import gzip
import json
import platform
import random
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from bartizan import __version__
from bartizan.lab.evasion.text_trial import TextProblem, attack_texts
from bartizan.lab.evasion.texts import TextBound, WordSearch, synonyms
from bartizan.lab.hardening.canonical import Canonical
from bartizan.lab.target import Texts
from bartizan.lab.targets.scikit import of_estimator

DATA = Path("build/lab-data/train.jsonl.gz")
RESULT = Path(__file__).parent / "results" / "words.json"
TRAIN, TEST, SEED, SHARES, QUERIES = 6000, 400, 20261124, (0.1, 0.2, 0.4), 300


def rows():
    """Return (texts, classes) for training and for the test; no text stands in both."""
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        said = {row["text"]: row["source"] for row in map(json.loads, file) if row["source"] in ("banking77", "clinc")}
    some = [(text, int(source == "banking77")) for text, source in sorted(said.items()) if len(text.split()) >= 6]
    random.Random(SEED).shuffle(some)
    return [
        ([text for text, _ in part], np.array([label for _, label in part]))
        for part in (some[:TRAIN], some[TRAIN : TRAIN + TEST])
    ]


def fit(name, texts, y):
    """Fit words weighted by rarity and a linear model."""
    return of_estimator(name, make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)).fit(texts, y), Texts())


def main():
    """Attack both with the same search."""
    train, test = rows()
    result = {"version": __version__, "sklearn": sklearn.__version__, "python": platform.python_version()}
    result |= {"seed": SEED, "train": TRAIN, "test": TEST, "synonyms": len(synonyms()), "queries per text": QUERIES}
    begun = time.process_time()
    spelling = Canonical.fitted(train[0], synonyms())
    hard = spelling.around(fit("words", [spelling(text) for text in train[0]], train[1]))
    result["fit of the defence, CPU s"] = round(time.process_time() - begun, 1)
    for name, target in (("off", fit("words", *train)), ("on", hard)):
        found = {
            share: attack_texts(TextProblem(target, *test, TextBound(share), WordSearch(QUERIES, SEED)))
            for share in SHARES
        }
        result[name] = {
            "clean": asdict(found[SHARES[0]].clean),
            "under attack": {f"{share:.0%} of the words": asdict(one.robust) for share, one in found.items()},
        }
        print(name, json.dumps(result[name], indent=1), flush=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
