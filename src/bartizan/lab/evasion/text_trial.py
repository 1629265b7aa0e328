"""One attack on a classifier of texts from end to end: accuracy before and under attack, the curve, JSON and page."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from bartizan import __version__
from bartizan.core.measures import Measurement, proportion
from bartizan.lab.evasion.margins import is_wrong
from bartizan.lab.evasion.report import page, plot
from bartizan.lab.evasion.texts import LOOKALIKES, TextBound, WordSearch, within, words_of
from bartizan.lab.target import Array, Target

Progress = Callable[[str, int, int], None]
_CURVE = (0.25, 0.5, 1.0, 2.0)
_PART = 20
_SHOWN = 12


@dataclass(frozen=True)
class TextProblem:
    """A classifier of texts under attack: the texts, their classes (n,), the bound, and who searches."""

    target: Target
    texts: Sequence[str]
    y: Array
    bound: TextBound
    search: WordSearch

    @property
    def right(self) -> Array:
        """Return which texts are answered rightly, (n,) bool."""
        return np.asarray(self.target.labels(list(self.texts)) == self.y)

    def first(self, count: int) -> TextProblem:
        """Return the problem of the first `count` texts."""
        return replace(self, texts=self.texts[:count], y=self.y[:count])

    def share(self, standing: Array) -> Measurement:
        """Return the share of texts that stand, with its interval."""
        return proportion(int(standing.sum()), len(self.texts), seed=self.search.seed)


@dataclass(frozen=True)
class TextAttacked:
    """What a search did to a classifier of texts."""

    clean: Measurement
    robust: Measurement
    """Share of the texts that are still answered rightly, over all texts."""
    adversarial: tuple[str, ...]
    """The text that won for each one that fell, the original else."""
    fell: tuple[int, ...]
    """Numbers of the texts that were answered rightly before and wrongly after."""
    points: tuple[tuple[float, Measurement], ...] = ()
    """Accuracy against the share of words that may change, smallest first."""


def attack_texts(
    problem: TextProblem, progress: Progress = lambda what, done, total: None, *, curve: int = 0
) -> TextAttacked:
    """Attack every text that is answered rightly; draw the curve on the first `curve` texts. Asks for scores."""
    right = problem.right
    adversarial, fallen = _won(problem, right, progress)
    points = _curve(problem.first(curve), progress) if curve else ()
    fell = tuple(int(row) for row in np.flatnonzero(fallen))
    return TextAttacked(problem.share(right), problem.share(right & ~fallen), tuple(adversarial), fell, points)


def _won(problem: TextProblem, standing: Array, progress: Progress) -> tuple[list[str], Array]:
    """Attack the standing texts; return all texts, the winning form of those that fell, and which fell (n,)."""
    target, search = problem.target, problem.search
    texts, fallen = list(problem.texts), np.zeros(len(problem.texts), dtype=bool)
    rows = np.flatnonzero(standing)
    for start in range(0, len(rows), _PART):
        progress(search.name, start, len(rows))
        some = rows[start : start + _PART]
        old = [texts[row] for row in some]
        seeded = replace(search, seed=search.seed + start)
        new = within(problem.bound, old, seeded.perturb(target, problem.bound, old, problem.y[some]))
        wrong = is_wrong(target, new, problem.y[some])
        for row, text in zip(some[wrong], np.array(new, dtype=object)[wrong], strict=True):
            fallen[row], texts[row] = True, text
    progress(search.name, len(rows), len(rows))
    return texts, fallen


def _curve(problem: TextProblem, progress: Progress) -> tuple[tuple[float, Measurement], ...]:
    """What fell with fewer words has fallen with more, and is not attacked again: the curve never rises."""
    standing = problem.right
    points = [(0.0, problem.share(standing))]
    for share in sorted({min(1.0, problem.bound.share * factor) for factor in _CURVE}):
        _, fallen = _won(replace(problem, bound=replace(problem.bound, share=share)), standing, progress)
        standing = standing & ~fallen
        points.append((share, problem.share(standing)))
    return tuple(points)


def as_json(problem: TextProblem, found: TextAttacked, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the result as plain values: figures with intervals, n and seed; no texts."""
    target = problem.target
    return {
        "version": __version__,
        "target": target.name,
        "access": target.access.name.lower(),
        "bound": str(problem.bound),
        "search": problem.search.name,
        "seed": problem.search.seed,
        "settings": settings,
        "clean_accuracy": asdict(found.clean),
        "robust_accuracy": asdict(found.robust),
        "queries": target.queries,
        "fell": len(found.fell),
        "curve": [{"share_of_words": share, "accuracy": asdict(value)} for share, value in found.points],
        "notes": list(target.notes),
    }


def as_page(problem: TextProblem, found: TextAttacked) -> str:
    """Return the result as one HTML page without scripts or outside files; changed words are marked."""
    examples = [_example(problem, row, found.adversarial[row]) for row in found.fell]
    examples.sort(key=lambda one: (one["changed"], one["row"]))
    return page(
        "texts.html", problem=problem, target=problem.target, found=found, examples=examples[:_SHOWN],
        plot=plot(found.points, "share of words"),
    )  # fmt: skip


def _example(problem: TextProblem, row: int, after: str) -> dict[str, Any]:
    parts = [
        (one, None, "") if one == two else (one, two, _looks(two))
        for one, two in zip(words_of(problem.texts[row]), words_of(after), strict=True)
    ]
    changed = sum(word is not None for _, word, _ in parts)
    said = int(problem.target.labels([after])[0])
    return {"row": row, "truth": int(problem.y[row]), "said": said, "changed": changed, "parts": parts}


def _looks(word: str) -> str:
    """Name the look-alike letters in `word`: on the page nobody could see them."""
    return ", ".join(unicodedata.name(letter, "").lower() for letter in word if letter in LOOKALIKES.values())
