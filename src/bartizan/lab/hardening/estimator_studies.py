"""Hardens a classifier of rows or of texts and measures it before and after, by an attacker who knows what was done.

Three ways: `augmented` trains on the rows that won (within what a row may be), `spelled` reads every text in one
spelling, `rejecting` leaves what is doubtful without an answer. The classifier is an estimator with scikit-learn's
interface. With a folder to keep things in, a study that was stopped goes on, attack by attack and part by part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from sklearn.pipeline import make_pipeline

from bartizan.core.errors import BadSettings
from bartizan.core.measures import Measurement, proportion
from bartizan.lab.evasion.tabular import Schema, TabularSearch, hardened_rows
from bartizan.lab.evasion.tabular_columns import Columns
from bartizan.lab.evasion.tabular_gradient import constrained_attack
from bartizan.lab.evasion.tabular_trial import RowProblem, attack_rows
from bartizan.lab.evasion.text_trial import TextProblem, attack_texts
from bartizan.lab.evasion.texts import TextBound, WordSearch
from bartizan.lab.hardening.estimators import Rejecting, Spelling
from bartizan.lab.hardening.outcome import Outcome
from bartizan.lab.hardening.shelf import Shelf
from bartizan.lab.labelled import Labelled, LabelledTexts
from bartizan.lab.target import Access, Array, Target, Texts
from bartizan.lab.targets.scikit import of_estimator

Progress = Callable[[str, int, int], None]
_PART = 250
"""Training rows that are attacked, and kept, together."""


@dataclass(frozen=True)
class Rows:
    """The attacker of rows: what a row may be, and who searches."""

    columns: Columns
    search: TabularSearch = field(default_factory=TabularSearch)
    spec = None

    def attacked(self, target: Target, data: Labelled, seed: int, progress: Progress) -> tuple[Array, Array]:
        """Return the row that won for each one that fell, the original else; and which were answered rightly before."""
        problem = RowProblem(target, np.asarray(target.spec.checked(data.x)), data.y, self.columns, self.search, seed)
        return attack_rows(problem, progress).adversarial, problem.right

    @property
    def decides(self) -> tuple[object, ...]:
        """Return what decides what it finds, beside the model and the data."""
        derive = self.columns.schema.derive
        return self.columns.as_toml(), getattr(derive, "__qualname__", repr(derive)), self.search

    def __str__(self) -> str:
        """Return the bound as people write it."""
        schema = self.columns.schema
        return f"at most {schema.most_changed} changed, numbers by {schema.reach:.3g} of their range"


@dataclass(frozen=True)
class Words:
    """The attacker of texts: how many words, and who searches."""

    bound: TextBound
    search: WordSearch = field(default_factory=WordSearch)
    spec = Texts()

    def attacked(self, target: Target, data: LabelledTexts, seed: int, progress: Progress) -> tuple[Array, Array]:
        """Return the text that won for each that fell, the original else; and which were answered rightly before."""
        problem = TextProblem(target, data.x, data.y, self.bound, replace(self.search, seed=seed))
        return _as_bytes(attack_texts(problem, progress).adversarial), problem.right

    @property
    def decides(self) -> tuple[object, ...]:
        """Return what decides what it finds, beside the model and the data."""
        return self.bound.share, sorted(self.bound.synonyms), self.search

    def __str__(self) -> str:
        """Return the bound as people write it."""
        return str(self.bound)


@dataclass(frozen=True)
class EstimatorStudy:
    """What is hardened, on which data, against whom."""

    make: Callable[[], Any]
    """Makes an estimator that is not fitted yet."""
    fitted: Any | None
    """The estimator as it is now; None: one that is made and fitted."""
    train: Labelled | LabelledTexts
    test: Labelled | LabelledTexts
    attacker: Rows | Words
    seed: int
    progress: Progress = lambda what, done, total: None
    kept: Path | None = None

    def fit(self, estimator: Any, x: Any, y: Array) -> Any:
        """Return the estimator, fitted. Raises BadSettings unless its classes are 0, 1, … up to the test data's."""
        fitted = estimator.fit(x, y)
        known = getattr(fitted, "classes_", None)
        if known is None or not np.array_equal(known, np.arange(len(known))) or self.test.y.max() >= len(known):
            raise BadSettings(
                f"{type(fitted).__name__} knows the classes {known}: expected 0, 1, … up to {self.test.y.max()}",
                hint="Each class must stand in the training data, as a number.",
            )
        return fitted

    def plain(self) -> Any:
        """Return what was there before."""
        return self.fit(self.make(), self.train.x, self.train.y) if self.fitted is None else self.fitted

    def target(self, name: str, estimator: Any) -> Target:
        """Return the estimator as an attacker sees it. Raises BadSettings where it gives labels only."""
        target = of_estimator(name, estimator, self.attacker.spec)
        if target.access < Access.SCORES:
            raise BadSettings(
                f"{type(estimator).__name__} gives labels only",
                hint="Attacks and thresholds need scores: predict_proba or decision_function.",
            )
        return target

    def attacked(self, target: Target) -> tuple[Any, Array]:
        """Attack the test data: (what was found, which were answered rightly before). Kept when it is done."""
        x, y = self.test.x, self.test.y

        def make() -> dict[str, Array]:
            found, right = self.attacker.attacked(target, self.test, self.seed, self.progress)  # type: ignore[arg-type]
            return {"found": found, "right": right}

        data = x if isinstance(x, np.ndarray) else _as_bytes(x)
        kept = Shelf(self.kept).arrays(
            "attacked", (target.name, self.attacker.decides, data, y, self.seed, _known(target, x)), make
        )
        found = kept["found"] if isinstance(x, np.ndarray) else msgspec.json.decode(kept["found"].tobytes())
        return found, kept["right"]

    def share(self, hits: Array) -> Measurement:
        """Return a share of the test data with its interval."""
        return proportion(int(hits.sum()), len(hits), seed=self.seed)


def augmented(study: EstimatorStudy, rounds: int) -> tuple[Any, Outcome]:
    """Return the estimator trained on its rows and those that won against it, `rounds` times, and what that changed."""
    attacker = study.attacker
    if not isinstance(attacker, Rows) or not isinstance(study.train, Labelled) or rounds < 1:
        raise BadSettings(f"{rounds} rounds over {type(attacker).__name__}: expected rows of a table, and 1 or more")
    before = _figures(study, study.target("before", study.plain()))[0]
    made: list[Any] = []

    def fit(x: Array, y: Array) -> Target:
        made.append(study.fit(study.make(), x, y))
        study.progress("training", len(made), rounds + 1)
        return study.target(f"round {len(made)}", made[-1])

    def attack(target: Target, schema: Schema, x: Array, y: Array) -> Array:
        return _in_parts(study, target, schema, x, y)

    x = np.asarray(study.train.x, dtype=np.float32)
    hardened_rows(attacker.columns.schema, fit, x, study.train.y, rounds, attack)
    after = _figures(study, study.target("after", made[-1]))[0]
    how = f"Trained on the rows that won against it, {rounds} times over; both attacked: {attacker}."
    facts = {"rounds": rounds, "schema": attacker.columns.as_toml()}
    helped = after["robust_accuracy"].value > before["robust_accuracy"].value
    notes = () if helped else ("It did not help: no more rows stand than before. Try --method reject.",)
    return made[-1], Outcome(how, before, after, facts=facts, notes=notes)


def spelled(study: EstimatorStudy) -> tuple[Any, Outcome]:
    """Return a pipeline that reads every text in one spelling before the estimator does, and what that changed."""
    if not isinstance(study.attacker, Words):
        raise BadSettings("one spelling is for texts", hint="Use --method augment or reject for rows.")
    before = _figures(study, study.target("before", study.plain()))[0]
    pipeline = study.fit(make_pipeline(Spelling(), study.make()), study.train.x, study.train.y)
    after = _figures(study, study.target("after", pipeline))[0]
    how = f"Every text is read in one spelling; attacked through it: {study.attacker}."
    return pipeline, Outcome(how, before, after, facts={"words": len(pipeline[0].words_)})


def rejecting(study: EstimatorStudy, budget: float) -> tuple[Any, Outcome]:
    """Return the estimator behind a threshold with at most `budget` false alarms, and what that changed.

    The threshold comes from the second half of the test data; everything is measured on the first.
    """
    plain = study.plain()
    half = len(study.test.x) // 2
    clean = study.test.x[half:]
    study = replace(study, test=study.test.first(half))
    guarded = Rejecting.calibrated(plain, clean, budget)
    before, found, fell = _figures(study, study.target("before", plain))
    target = study.target("after", guarded)
    after, silence = _figures(study, target)[0], target.classes - 1
    after["clean inputs left without an answer"] = study.share(target.labels(study.test.x) == silence)
    if fell.any():
        stopped = target.labels([found[row] for row in np.flatnonzero(fell)]) == silence
        after["attacks of one who does not know of it that are stopped"] = study.share(stopped)
    return guarded, Outcome(
        f"Silent where its confidence is below {guarded.floor_:.6g}: at most {budget:.2%} of clean inputs, calibrated "
        f"on {len(clean)}. Attacked by one who knows the test: {study.attacker}; silence is no win for him.",
        before,
        after,
        facts={"floor": guarded.floor_, "false_alarms": budget},
        notes=("Under attack an input counts as standing when its answer is right or there is none.",),
    )


def _figures(study: EstimatorStudy, target: Target) -> tuple[dict[str, Measurement], Any, Array]:
    """Attack the test data; return the figures, what was found, and which of it won."""
    found, right = study.attacked(target)
    silent = target.classes - 1 if target.traits.abstains else -1
    clean, said = target.labels(study.test.x), target.labels(found)
    fell = right & (said != study.test.y) & (said != silent)
    stood = (clean == study.test.y) | (clean == silent)
    figures = {
        "clean_accuracy": study.share(clean == study.test.y),
        "robust_accuracy": study.share(stood & ~fell),
    }
    return figures, found, fell


def _as_bytes(texts: Sequence[str]) -> Array:
    return np.frombuffer(msgspec.json.encode(list(texts)), dtype=np.uint8)


def _in_parts(study: EstimatorStudy, target: Target, schema: Schema, x: Array, y: Array) -> Array:
    """Return what gradients and search make of training rows, each part kept when it is done."""
    shelf, known, found = Shelf(study.kept), _known(target, x), []
    for start in range(0, len(x), _PART):
        study.progress(f"attacks on the training rows, {target.name}", start, len(x))
        rows = slice(start, start + _PART)

        def make(rows: slice = rows, start: int = start) -> dict[str, Array]:
            return {"found": constrained_attack(target, schema, x[rows], y[rows], study.seed + start)}

        decides = (target.name, study.attacker.decides, x[rows], y[rows], study.seed + start, known)
        found.append(shelf.arrays("rows", decides, make)["found"])
    return np.concatenate(found)


def _known(target: Target, x: Any) -> Array:
    """Return what tells this model from others: its scores on the first inputs, to three places."""
    return np.asarray(np.round(target.log_scores(x[:64]), 3))
