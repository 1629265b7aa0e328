"""Rows whose content says another class than their label, without listening to a trigger.

Many ridge classifiers vote, each trained on a small random part of the rows and (for pictures) half of the grid's
cells: a trigger that few rows carry is not learned from a small part, and one in a corner is not seen by half of them.
A class into which more rows are mislabelled than out of it, from most other classes, is a backdoor's target: honest
confusion goes both ways once the votes are calibrated, so the reverse direction says how many are to be expected
(target against decoys). Two calibrations look: one that poison hardly moves, one that knows how classes are confused.
Chance in a description of the rows (which filters were learned) moves a few rows across the edge, and with them an
honest class beyond the bounds: where one reader doubts, others with descriptions of their own are asked too, and what
they say on average counts; of a pair of classes by itself, what the one says who sees it best.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bartizan.data.checks.base import Checked, Labels, Mask, named
from bartizan.data.checks.calibration import centred, likely
from bartizan.data.checks.features import standard

VOTERS = 16
ALARMS, TOGETHER, PAIR_ALARMS = (4.7, 4.3), 1.2, (4.9, 4.0)
"""Strengths from which on a class is a target, for scores that are centred and for likely ones; from which on it is one
by both, each as a share of its bound and the two added; and from which on a pair of classes is one. Of 160 honest parts
of MNIST and Fashion-MNIST (2,000 rows, in half of them odd classes ten times rarer) six are beyond a bound to one
reader (seeds from 2000 in `make bench-poison`), three to three readers.
"""
WITH_SHARED = 1.35
"""From which sum of a target's strength and what its suspects share, as shares of their bounds, both are an alarm."""
_READERS, _DOUBTED = 3, 0.7
"""How many readers decide, and from which share of a bound on the first one does not decide alone."""
_SEEN_CELLS = 0.6
_LEAST = 200
_ROUNDS = 4
_SHARES = (0.005, 0.01, 0.02, 0.05, 0.1)
_ALLOWED, _OPPOSITE = 0.15, 0.05
"""Parts of the budget of honest rows that may lie beyond the decoys of one target, from all sources; and of its rows
that may say the opposite of what suspects share.
"""
Matrix = npt.NDArray[Any]


@dataclass(frozen=True)
class Votes:
    """What the voters say of each row: how far another class is ahead of the label, and which one."""

    margin: npt.NDArray[np.float64]
    other: Labels


class Shared(Protocol):
    """Reads whether rows that look like other classes than theirs have something else in common (see `warps`)."""

    what: str
    """What a row does that has it, in the words of a reason."""

    def strengths(self, votes: Votes, weight: Matrix) -> Matrix:
        """Return for each class how clearly, as a share of the bound; `weight` is what a pair of classes counts."""
        ...

    def evidence(self, votes: Votes, weight: Matrix, target: int) -> tuple[Matrix, Matrix]:
        """Return for each row the log odds that it has what suspects of class `target` share, and its opposite."""
        ...


@dataclass(frozen=True)
class Known:
    """What other checks know: classes that are targets of a trigger, and what else rows may have in common."""

    targets: Sequence[int] = ()
    shared: Shared | None = None
    again: Callable[[], Matrix] | None = None
    """Describes the same rows anew, by chance a little differently each time; None: there is one description only."""


NOTHING = Known()


def vote(
    features: Matrix, labels: Labels, classes: int, kept: Labels, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return scores (n, k) of all rows by classifiers trained on parts of the rows `kept`; no row votes on itself.

    `features` are standardised, (n, d) or (n, cells, cells, d).
    """
    rows = len(labels)
    size = min(max(_LEAST, rows // VOTERS), max(2, len(kept) // 2))
    wanted = np.full((rows, classes), -1.0 / (classes - 1))
    wanted[np.arange(rows), labels] = 1.0
    chance = 1 / np.sqrt(np.bincount(labels[kept], minlength=classes)[labels[kept]])
    total, count = np.zeros((rows, classes)), np.zeros(rows)
    for _ in range(VOTERS):
        part = rng.choice(kept, size, replace=False, p=chance / chance.sum())
        seen = features
        if features.ndim == 4:
            seen = features[:, rng.random(features.shape[1:3]) < _SEEN_CELLS]
        seen = seen.reshape(rows, -1)
        inside = seen[part]
        gram = (inside @ inside.T).astype(np.float64)
        gram[np.diag_indices(size)] += 0.1 * np.trace(gram) / size + 1e-9
        outside = np.ones(rows, bool)
        outside[part] = False
        weights = inside.T @ np.linalg.solve(gram, wanted[part])
        total[outside] += (seen @ weights)[outside]
        count[outside] += 1
    return total / np.maximum(count, 1)[:, None]


def read(scores: npt.NDArray[np.float64], labels: Labels) -> Votes:
    """Return what scores (n, k) say of each row."""
    rows = np.arange(len(labels))
    others = scores.copy()
    others[rows, labels] = -np.inf
    return Votes(others.max(axis=1) - scores[rows, labels], others.argmax(axis=1))


def doubted(features: Matrix, labels: Labels, classes: int, unseen: Mask, rng: np.random.Generator) -> Mask:
    """Return which rows look like another class than theirs to voters that saw none of the rows `unseen`."""
    kept = np.flatnonzero(~unseen)
    scores = vote(standard(features), labels, classes, kept, rng)
    return np.asarray(read(centred(scores, labels, kept), labels).margin > 0)


@dataclass(frozen=True)
class Strengths:
    """How far each class stands out as a target (see ALARMS), and each pair (label, content) by itself."""

    targets: npt.NDArray[np.float64]
    pairs: npt.NDArray[np.float64]


def strengths(votes: Votes, labels: Labels, classes: int) -> Strengths:
    """Return what stands out. A pair of classes that is honestly confused counts little; a class that draws from few
    others is a target only by a pair that stands out by itself.
    """
    sizes = np.maximum(np.bincount(labels, minlength=classes), 1).astype(float)
    scale = sizes[:, None] / sizes[None, :]
    best, pairs = np.zeros(classes), np.zeros((classes, classes))
    alike = _alike(votes, labels, classes)
    for share in _SHARES:
        drawn = _drawn(votes, labels, classes, max(0.0, float(np.quantile(votes.margin, 1 - share))))
        decoys = scale * drawn.T
        weight = 1 / (1 + 0.5 * drawn.T * np.maximum(scale, 1))
        np.fill_diagonal(weight, 0)
        found, expected = (weight * drawn).sum(axis=1), (weight * decoys).sum(axis=1)
        spread = np.where(expected > 0, (weight * scale * decoys).sum(axis=1) / np.maximum(expected, 1e-9), 1)
        z = 2 * (np.sqrt(found + 0.375) - np.sqrt(expected + 0.375)) / np.sqrt(1 + spread)
        alone = 2 * (np.sqrt(alike * drawn + 0.375) - np.sqrt(alike * decoys + 0.375)) / np.sqrt(1 + scale)
        pairs = np.maximum(pairs, np.where(alike > 0, alone, 0))
        breadth = ((drawn >= 1) & (drawn > 2 * decoys)).sum(axis=1) / max(1, classes - 1)
        best = np.maximum(best, np.where(breadth >= 0.5, z - max(0.0, float(np.median(z))), 0))
    return Strengths(best, pairs)


def _alike(votes: Votes, labels: Labels, classes: int) -> npt.NDArray[np.float64]:
    """Return what each pair (label, content) counts: less, the more rows are confused the other way."""
    sizes = np.maximum(np.bincount(labels, minlength=classes), 1).astype(float)
    found = 1 / (1 + 0.5 * _drawn(votes, labels, classes, 0.0).T * np.maximum(sizes[:, None] / sizes[None, :], 1))
    np.fill_diagonal(found, 0)
    return np.asarray(found)


def _drawn(votes: Votes, labels: Labels, classes: int, beyond: float) -> npt.NDArray[np.float64]:
    """Return how many rows of each label look like each other class by more than a margin."""
    hit = votes.margin > beyond
    found = np.zeros((classes, classes))
    np.add.at(found, (labels[hit], votes.other[hit]), 1)
    return found


def wrong_content(
    features: Matrix,
    labels: Labels,
    rng: np.random.Generator,
    budget: float,
    known: Known = NOTHING,
    names: Sequence[str] = (),
) -> Checked:
    """Flag rows of a class that draws mislabelled rows from the others (dirty-label backdoors of any trigger).

    Rows that stand out leave the training parts and the vote is repeated: voters that had learned the trigger forget
    it. The last vote says which rows are flagged: chance puts other honest rows on the edge in each. Classes that are
    known as targets need not stand out to lose the rows that do not look like them.
    """
    described, classes = [standard(features)], int(labels.max()) + 1
    flagged, shares = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
    out = flagged.copy()
    alarms: dict[tuple[int, int], float] = {}
    for _ in range(_ROUNDS):
        kept = np.flatnonzero(~out)
        heard = [_heard(vote(one, labels, classes, kept, rng), labels, kept, known.shared) for one in described]
        clear = _clear(heard)
        if known.again is not None and len(described) == 1 and max(clear.values()) >= _DOUBTED:
            described += [standard(known.again()) for _ in range(_READERS - 1)]
            more = (vote(one, labels, classes, kept, rng) for one in described[1:])
            heard += [_heard(scores, labels, kept, known.shared) for scores in more]
            clear = _clear(heard)
        agreed = np.mean([one.agreed for one in heard], axis=0)
        votes = read(np.mean([one.scores for one in heard], axis=0), labels)
        weight = _alike(votes, labels, classes)
        alarms = {what: times for what, times in clear.items() if times >= 1} | alarms
        flagged, shares = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
        for one, other in {**alarms, **dict.fromkeys((one, -1) for one in known.targets)}:
            sources = [other] if other >= 0 else [at for at in range(classes) if at != one]
            flagged |= _beyond_decoys(votes, labels, one, sources, budget)
            if known.shared is not None and other < 0 and agreed[one] >= 1:
                shares |= _beyond_opposite(votes, labels == one, known.shared.evidence(votes, weight, one), budget)
        shares &= ~flagged
        flagged |= shares
        if not (flagged & ~out).any():
            break
        out |= flagged
    reasons = {
        int(at): f"its content looks like {named(votes.other[at], names)}, not {named(labels[at], names)}"
        for at in np.flatnonzero(flagged & ~shares)
    }
    if known.shared is not None:
        what = known.shared.what
        reasons |= {
            int(at): f"{what} as rows of {named(labels[at], names)} do whose content is of other classes"
            for at in np.flatnonzero(shares)
        }
    others = "most other classes"
    told = tuple(
        f"{named(one, names)} draws mislabelled rows from {named(other, names) if other >= 0 else others} "
        f"({times:.1f} times as clearly as honest sets do at most)"
        for (one, other), times in alarms.items()
    )
    return Checked("content", votes.margin, flagged, reasons, told)


@dataclass(frozen=True)
class _Heard:
    """What one reader says: centred scores, how clearly classes stand out, and what their suspects share."""

    scores: Matrix
    strengths: tuple[Strengths, Strengths]
    agreed: Matrix
    """How clearly the suspects of each class have something else in common, as a share of its bound."""


def _heard(scores: Matrix, labels: Labels, kept: Labels, shared: Shared | None) -> _Heard:
    classes, middled = scores.shape[1], centred(scores, labels, kept)
    votes = read(middled, labels)
    agreed = np.zeros(classes) if shared is None else shared.strengths(votes, _alike(votes, labels, classes))
    sure = read(likely(scores, labels, kept), labels)
    return _Heard(middled, (strengths(votes, labels, classes), strengths(sure, labels, classes)), agreed)


def _clear(heard: Sequence[_Heard]) -> dict[tuple[int, int], float]:
    """Return how clearly readers see classes as targets (see `clearness`): on average, pairs by the best.

    Chance moves a few rows of every pair, and that adds up over a class; one pair by itself it never moved that far.
    """
    both = [
        Strengths(np.mean([one.targets for one in each], axis=0), np.max([one.pairs for one in each], axis=0))
        for each in zip(*(one.strengths for one in heard), strict=True)
    ]
    return clearness((both[0], both[1]), np.mean([one.agreed for one in heard], axis=0))


def clearness(found: tuple[Strengths, Strengths], agreed: Matrix) -> dict[tuple[int, int], float]:
    """Return how clearly classes (class, -1) and pairs (label, content) stand out: from 1 on they raise an alarm."""
    classes = range(len(agreed))
    shares = [one.targets / bound for one, bound in zip(found, ALARMS, strict=True)]
    content, both = np.max(shares, axis=0), np.sum(shares, axis=0) / TOGETHER
    targets = np.max([content, both, agreed, (content + agreed) / WITH_SHARED], axis=0)
    pairs = np.max([one.pairs / bound for one, bound in zip(found, PAIR_ALARMS, strict=True)], axis=0)
    return {(one, -1): float(targets[one]) for one in classes} | {
        (one, other): float(pairs[one, other]) for one in classes for other in classes
    }


def _beyond_decoys(votes: Votes, labels: Labels, target: int, sources: list[int], budget: float) -> Mask:
    """Return rows labelled `target` with a greater margin than all but few of those confused the other way.

    Margins of these fall off exponentially. A class that is much smaller than the target shows few of them, so the tail
    is carried on to where the target's size would leave no more than its part of the budget.
    """
    sizes = np.maximum(np.bincount(labels, minlength=max(*sources, target) + 1), 1)
    decoys = {one: votes.margin[(labels == one) & (votes.other == target) & (votes.margin > 0)] for one in sources}
    usual = float(np.concatenate(list(decoys.values())).mean()) if any(map(len, decoys.values())) else 0.0
    allowed = _ALLOWED * budget * len(labels) / max(1, len(np.unique(labels)) - 1)
    found = np.zeros(len(labels), bool)
    for other, margins in decoys.items():
        fall = (margins.sum() + usual) / (len(margins) + 1)
        expected = (len(margins) + 0.5) * sizes[target] / sizes[other]
        bound = max(0.0, fall * float(np.log(expected / allowed)))
        found |= (labels == target) & (votes.other == other) & (votes.margin > bound)
    return found


def _beyond_opposite(votes: Votes, own: Mask, evidence: tuple[Matrix, Matrix], budget: float) -> Mask:
    """Return which rows `own` (a target's) are, by content and by what suspects share, beyond all but few opposites.

    Nobody planted the opposite: as many honest rows seem to have it as seem to have what is shared.
    """
    usual = float(votes.margin[votes.margin > 0].mean())
    shared, opposite = (votes.margin / usual + one for one in evidence)
    few = int(_OPPOSITE * budget * len(own))
    bound = np.sort(opposite[own])[::-1][min(few, int(own.sum()) - 1)]
    return np.asarray(own & (shared > max(0.0, float(bound))))
