"""What a fingerprint finds before anybody needs it: copies made by our own thieves, and what removes it from them.

The thieves copy models drawn from the whole cohort, so a trial tells nothing of which model is ours, and nobody is
tempted to draw again until the one drawn is easy to find: the p-value would not hold then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from bartizan.core.measures import Measurement, proportion
from bartizan.lab.extraction.surrogates import Copy, LeastSure, Network, Records, Way, steal
from bartizan.lab.extraction.surrogates import Plan as Theft
from bartizan.lab.hardening.shelf import Shelf
from bartizan.lab.labelled import Labelled
from bartizan.lab.membership.shadows import Progress
from bartizan.lab.ownership.fingerprint import Draft, Labels
from bartizan.lab.ownership.making import Cohort
from bartizan.lab.ownership.removals import deferring, disturbed, finetuned, pruned, quantised, scattered
from bartizan.lab.target import Array

_TUNED = 300
_BESIDE = 10
"""Copies of each model beside those by labels of own records: scores, what a copy is least sure of, eight removals."""


@dataclass(frozen=True)
class Trial:
    """What became of one way of copying, or of hiding a copy."""

    way: str
    questions: int
    found: Measurement
    """The share of copies with p at most alpha."""
    agreement: float
    """Mean share of records that were not asked and that copy and original label alike."""
    values: tuple[float, ...]
    """The p-value of each copy."""


@dataclass(frozen=True)
class Thieves:
    """Who copies: unlabelled rows `own` of what the cohort was asked, `labelled` records, an untrained network."""

    own: Array
    """Rows (n,) of `Cohort.asked`."""
    others: Array
    """Rows that they do not own: agreement is judged on these."""
    labelled: Labelled
    network: Network
    questions: tuple[int, ...]
    copies: int
    seed: int
    alpha: float = 0.05
    steps: int = 300
    """Of training after a round of questions; four times as many after the last."""


def trials(
    cohort: Cohort,
    draft: Draft,
    thieves: Thieves,
    progress: Progress = lambda what, done, total: None,
    cache: Path | None = None,
) -> list[Trial]:
    """Copy `thieves.copies` models of the cohort in every way, hide the largest copies, and say how many are found.

    With `cache`, what became of the copies of one model is kept there, and a stopped trial goes on with the next.
    """
    draw = np.random.default_rng(thieves.seed)
    parents = draw.permutation(len(cohort.scores))[: thieves.copies]
    each = len(thieves.questions) + _BESIDE
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for number, parent in enumerate(map(int, parents)):

        def told(copies: int, before: int = number * each) -> None:
            progress("copies by our own thieves", before + copies, len(parents) * each)

        told(0)
        decides, make = _decides(cohort, draft, thieves, parent), partial(_judged, cohort, draft, thieves, parent, told)
        kept = Shelf(cache).arrays("copies", decides, make)
        columns = (kept[name].tolist() for name in ("way", "questions", "p", "agreed"))
        for way, questions, p, agreed in zip(*columns, strict=True):
            found.setdefault((way, questions), []).append((p, agreed))
        told(each)
    return [
        Trial(
            way,
            questions,
            proportion(sum(p <= thieves.alpha for p, _ in told), len(told), seed=thieves.seed),
            float(np.mean([agreed for _, agreed in told])),
            tuple(p for p, _ in told),
        )
        for (way, questions), told in found.items()
    ]


def _judged(
    cohort: Cohort, draft: Draft, thieves: Thieves, parent: int, told: Callable[[int], None]
) -> dict[str, Array]:
    """Return of each copy of one model: how it was made (`way`), what was asked, p, and its agreement."""
    fingerprint = draft.drawn(parent)
    others, truth = cohort.asked[thieves.others], cohort.labels[parent, thieves.others]
    rows = []
    for way, questions, labels in _suspects(cohort, parent, thieves):
        rows.append((way, questions, fingerprint.verify(labels).p, float((labels(others) == truth).mean())))
        told(len(rows))
    ways, asked, p, agreed = map(np.array, zip(*rows, strict=True))
    return {"way": ways, "questions": asked, "p": p, "agreed": agreed}


def _decides(cohort: Cohort, draft: Draft, thieves: Thieves, parent: int) -> tuple[object, ...]:
    """Return all that the copies of one model and the judgement on them follow from."""
    plan = (thieves.questions, thieves.seed, thieves.steps, thieves.alpha, parent)
    own = (thieves.own, thieves.others, thieves.labelled.x, thieves.labelled.y)
    return (plan, draft.points, draft.evidence, draft.usual, *own, cohort.scores[parent], cohort.asked)


def _suspects(cohort: Cohort, parent: int, thieves: Thieves) -> Iterator[tuple[str, int, Labels]]:
    """Yield each copy of model `parent`: how it was made, what was asked, and its labels."""
    own, most = cohort.asked[thieves.own], max(thieves.questions)
    seed = thieves.seed + 1000 * parent
    known = {row.tobytes(): at for row, at in zip(own, thieves.own, strict=True)}

    def scores(x: Array) -> Array:
        return np.asarray(cohort.scores[parent, [known[row.tobytes()] for row in x]])

    def labels(x: Array) -> Array:
        return np.asarray(scores(x).argmax(axis=1))

    def stolen(ask: Callable[[Array], Array], way: Way, questions: int) -> Copy:
        plan = Theft(own.shape[1:], _rounds(way, questions), seed, thieves.steps)
        return steal(ask, way, thieves.network, plan)

    records = Records("own records", own)
    copies = {questions: stolen(labels, records, questions) for questions in thieves.questions}
    for questions, one in copies.items():
        yield "labels of own records", questions, one.labels
    yield "scores of own records", most, stolen(scores, records, most).labels
    yield "labels of what the copy is least sure of", most, stolen(labels, LeastSure(own), most).labels
    for way, suspect in hidden(copies[most], thieves, seed):
        yield f"labels of own records, then {way}", most, suspect


def hidden(copy: Copy, thieves: Thieves, seed: int) -> Iterator[tuple[str, Labels]]:
    """Yield the copy after each removal."""
    module, tuned = copy.module, thieves.labelled

    def of(changed: torch.nn.Module) -> Labels:
        return Copy(changed, copy.asked, copy.answers).labels

    yield "trained further", of(finetuned(module, tuned.x, tuned.y, steps=_TUNED, seed=seed))
    yield "half of the weights pruned", of(pruned(module, 0.5))
    yield "weights of 4 bits", of(quantised(module, 4))
    yield "noise on the weights", of(disturbed(module, 0.3, seed=seed))
    again = steal(copy.labels, Records("own records", copy.asked), thieves.network, _all(thieves, copy, seed + 1))
    yield "copied again", again.labels
    classes = 1 + int(copy.answers.max())
    yield "a fifth of the answers at random", scattered(copy.labels, 0.2, classes, seed=seed)
    own = steal(
        lambda x: tuned.y[: len(x)], _InOrder(tuned.x), thieves.network, _all(thieves, copy, seed + 2, len(tuned))
    )
    for share in (0.05, 0.2):
        yield (
            f"own model's answers where it is least sure ({share:.0%})",
            deferring(copy.scores, own.labels, copy.asked, share),
        )


@dataclass
class _InOrder:
    """Labelled records, once and in order: how a thief trains a model of his own."""

    x: Array
    name: str = "own labels"

    def next(self, copy: Copy, count: int, draw: np.random.Generator) -> Array:
        """Return all of them."""
        return np.asarray(self.x[:count])


def _all(thieves: Thieves, copy: Copy, seed: int, count: int = 0) -> Theft:
    return Theft(copy.asked.shape[1:], (count or len(copy.asked),), seed, thieves.steps)


def _rounds(way: Way, questions: int) -> tuple[int, ...]:
    """Return when a thief trains: once, unless what it asks next depends on the copy."""
    if not isinstance(way, LeastSure):
        return (questions,)
    return tuple(sorted({max(20, questions // 8), max(20, questions // 3), questions}))
