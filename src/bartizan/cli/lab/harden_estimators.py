"""`bartizan lab harden` for rows of tables (`--schema`) and texts (`.jsonl`): estimators as scikit-learn has them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bartizan.cli.lab import rows, texts
from bartizan.cli.lab.subject import Told
from bartizan.core.errors import BadSettings
from bartizan.core.sections.lab import Lab
from bartizan.lab.needs import need

if TYPE_CHECKING:
    from bartizan.lab.hardening.estimator_studies import EstimatorStudy, Rows
    from bartizan.lab.hardening.outcome import Outcome
    from bartizan.lab.labelled import Labelled

WAYS = {"augment": "rows of a table: name a --schema", "spelling": "texts: JSON lines"}
"""Ways of hardening that are only for these, and for what."""


def add_bounds(parser: argparse.ArgumentParser) -> None:
    """Add what an attacker of rows or of texts may do."""
    bounds = parser.add_argument_group("rows and texts")
    bounds.add_argument("--schema", metavar="FILE", help="what a row may be, .toml or .json; infer: from the data")
    bounds.add_argument("--rounds", type=int, default=2, metavar="N", help="of training on what won (default 2)")
    bounds.add_argument(
        "--words", type=float, default=0.2, metavar="X", help="share of a text's words that may change (default 0.2)"
    )


def takes(lab: Lab, args: argparse.Namespace) -> bool:
    """Return whether what is hardened is an estimator of rows or texts."""
    return texts.takes(lab) or rows.takes(args)


def hardened(lab: Lab, args: argparse.Namespace, told: Told, where: Path) -> tuple[Outcome, Path]:
    """Harden, measure, write the estimator; return what came of it and its file."""
    from dataclasses import replace

    from bartizan.lab.hardening import estimator_studies as studies

    default = "spelling" if texts.takes(lab) else "augment"
    method = args.method or default
    if method not in (default, "reject"):
        raise BadSettings(f"--method {method}: for {WAYS[default].partition(':')[0]} expected {default} or reject")
    study = opened(lab, args, told, where)
    if method == "reject":
        estimator, outcome = studies.rejecting(study, args.false_alarms)
    elif method == "spelling":
        estimator, outcome = studies.spelled(study)
    else:
        estimator, outcome = studies.augmented(study, args.rounds)
    path = where / "hardened.skops"
    io = need("skops.io")
    io.dump(estimator, path)
    from bartizan.lab.targets.scikit import untrusted

    strange = untrusted(path)
    notes = [*outcome.notes]
    if strange:
        notes.append(
            f"{path.name} holds types that are on no list of trusted ones ({', '.join(strange[:3])}): "
            "skops.io.load takes them by name, bartizan lab attack wants a function of yours that does."
        )
    return replace(outcome, notes=notes), path


def opened(lab: Lab, args: argparse.Namespace, told: Told, where: Path) -> EstimatorStudy:
    """Return the study that the settings describe: estimator, data, attacker, and where unfinished work is kept."""
    from bartizan.lab.evasion.texts import TextBound
    from bartizan.lab.hardening.estimator_studies import EstimatorStudy, Words
    from bartizan.lab.labelled import load, load_texts

    make, fitted = _estimator(lab, args)
    read = load_texts if texts.takes(lab) else load
    data = read(Path(lab.data))
    cut = len(data.x) if args.test else len(data.x) * 4 // 5
    test = read(Path(args.test)) if args.test else data.part(cut, len(data.x))
    train = data.first(cut)
    attacker = Words(TextBound(args.words)) if texts.takes(lab) else _rows(args, Path(lab.data), train, test, where)  # type: ignore[arg-type]
    some = test.first(args.examples)
    return EstimatorStudy(make, fitted, train, some, attacker, args.seed, told, where / ".bartizan-lab")


def _estimator(lab: Lab, args: argparse.Namespace) -> tuple[Callable[[], Any], Any | None]:
    """Return what makes an unfitted estimator, and a fitted one where a file is named."""
    from bartizan.lab.targets.scikit import load_skops
    from bartizan.lab.targets.torch_modules import named

    clone = need("sklearn.base").clone
    fitted = load_skops(args.weights) if args.weights else None
    if not lab.factory:
        return lambda: clone(fitted), fitted
    factory = named(lab.factory, "factory")
    made = factory()
    if not callable(getattr(made, "fit", None)):
        raise BadSettings(
            f"--factory {lab.factory} made a {type(made).__name__}: expected an estimator with fit and predict_proba"
        )
    return factory, fitted


def _rows(args: argparse.Namespace, path: Path, train: Labelled, test: Labelled, where: Path) -> Rows:
    """Return the attacker of rows; an inferred schema is written beside the result."""
    from bartizan.lab.evasion.tabular_columns import inferred, read
    from bartizan.lab.hardening.estimator_studies import Rows
    from bartizan.lab.labelled import column_names

    if train.x.ndim != 2 or train.x.shape[1:] != test.x.shape[1:]:
        raise BadSettings(f"examples of shapes {train.x.shape[1:]} and {test.x.shape[1:]}: expected rows of one table")
    both, names = np.concatenate([train.x, test.x]), column_names(path, train.x.shape[1])
    if args.schema != "infer":
        return Rows(read(Path(args.schema), both, names))
    columns = inferred(both, names)
    (where / "schema.toml").write_text(columns.as_toml(), encoding="utf-8")
    return Rows(columns)
