"""Adult (UCI, CC BY 4.0): rows attacked within a schema, before and after training on attacks; trees and a network.

`make bench-tabular`. Needs build/lab-data/adult.csv. The attacker sees scores, may change three columns (a category
counts as one) and move a number by a fifth of its range; sex, race, country, marital status and relationship are fixed.
"""

import csv
import json
import platform
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bartizan import __version__
from bartizan.core.measures import proportion
from bartizan.lab.evasion.tabular import Schema, TabularSearch, hardened_rows, judge_rows
from bartizan.lab.evasion.tabular_gradient import Capgd, constrained_attack
from bartizan.lab.targets.scikit import of_estimator

DATA = Path("build/lab-data/adult.csv")
RESULT = Path(__file__).parent / "results" / "tabular.json"
NUMBERS = ("age", "capital-gain", "capital-loss", "hours-per-week")
GROUPS = ("workclass", "education", "occupation", "marital-status", "relationship", "race", "sex")
FIXED = ("marital-status", "relationship", "race", "sex")
TRAIN, TEST, SEED = 3000, 400, 20261124


def encoded():
    """Rows as numbers and one-hot groups, classes, and the schema."""
    with DATA.open() as file:
        rows = list(csv.DictReader(file))
    order = np.random.default_rng(SEED).permutation(len(rows))[: TRAIN + TEST]
    rows = [rows[i] for i in order]
    columns = [[float(row[name]) for row in rows] for name in NUMBERS]
    groups, fixed = [], []
    for name in GROUPS:
        values = sorted({row[name].strip() for row in rows})
        members = tuple(range(len(columns), len(columns) + len(values)))
        columns += [[float(row[name].strip() == value) for row in rows] for value in values]
        groups.append(members)
        fixed += members if name in FIXED else ()
    x = np.array(columns, dtype=np.float32).T
    y = np.array([row["income-per-year"].strip().startswith(">") for row in rows]).astype(np.int64)
    schema = Schema(
        x.min(axis=0), x.max(axis=0), integer=tuple(range(len(NUMBERS))), immutable=tuple(fixed), one_hot=tuple(groups)
    )
    return x, y, schema


def fit(x, y):
    """Fit gradient-boosted trees."""
    return of_estimator("trees", HistGradientBoostingClassifier(max_iter=60, random_state=0).fit(x, y))


def network(x, y):
    """Fit a small network, which gives gradients."""
    net = MLPClassifier((64,), max_iter=30, random_state=0)
    return of_estimator("network", make_pipeline(StandardScaler(), net).fit(x, y))


def with_gradients(train, test, schema):
    """What gradients, search, and both one after the other turn on the network, with the CPU time of each."""
    model = network(*train)
    clean = proportion(int((model.labels(test[0]) == test[1]).sum()), TEST, seed=SEED)
    out = {"clean": asdict(clean)}
    print("network clean", clean, flush=True)
    attacks = {Capgd().name: Capgd().perturb, TabularSearch().name: TabularSearch().perturb, "both": constrained_attack}
    for name, attack in attacks.items():
        begun, asked = time.process_time(), model.queries
        found = attack(model, schema, *test)
        took, asked = time.process_time() - begun, model.queries - asked
        won = judge_rows(model, schema, *test, found, SEED)
        out[name] = {"attack_success": asdict(won), "cpu_s": round(took, 2), "rows_asked": asked}
        print("network", name, won, f"{took:.2f} s", asked, "rows", flush=True)
    return out


def main():
    """Attack the plain and the hardened trees with the same search."""
    x, y, schema = encoded()
    train, test = (x[:TRAIN], y[:TRAIN]), (x[TRAIN:], y[TRAIN:])
    result = {"version": __version__, "sklearn": sklearn.__version__, "python": platform.python_version()}
    result |= {"seed": SEED, "train": TRAIN, "test": TEST, "search": TabularSearch().name}
    result |= {"most_changed": schema.most_changed, "reach": schema.reach}
    for name, make in (("off", lambda: fit(*train)), ("on", lambda: hardened_rows(schema, fit, *train))):
        begun = time.process_time()
        model = make()
        took = time.process_time() - begun
        clean = proportion(int((model.labels(test[0]) == test[1]).sum()), TEST, seed=SEED)
        won = judge_rows(model, schema, *test, TabularSearch().perturb(model, schema, *test), SEED)
        result[name] = {"clean": asdict(clean), "attack_success": asdict(won), "fit_cpu_s": round(took, 1)}
        print(name, "clean", clean, "attack success", won, flush=True)
    result["network"] = with_gradients(train, test, schema)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
