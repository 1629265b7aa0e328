"""The families about training records: who is recognised as a member, and what one run says about epsilon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from bartizan.lab.auditing.family import Family, Grade
from bartizan.lab.auditing.subject import Progress, Subject
from bartizan.lab.membership.judge import Leak, judge_membership
from bartizan.lab.membership.label_only import Labels, kept_share, label_only_scores
from bartizan.lab.membership.related import attacks_on
from bartizan.lab.membership.shadows import balanced_halves, shadow_scores
from bartizan.lab.membership.signals import Observed
from bartizan.lab.membership.stacked import Recipe, Stack, train
from bartizan.lab.membership.study import Study
from bartizan.lab.privacy.audit import audit, with_canaries
from bartizan.lab.privacy.curve_audit import gaussian_bound

MOST = 2000
"""Members, and as many others, that are asked about."""
CANARIES = 256
_RATE = 0.01


def membership(subject: Subject, progress: Progress) -> Family:
    """Attack the model itself, with references trained on random halves of members and others."""
    count = min(len(subject.members), len(subject.others), MOST)
    if count < 50 or not subject.knows_members:
        return Family("membership", "not measured", "Needs 50 records that it was trained on, and 50 others (--test).")
    x = np.concatenate([subject.members.x[:count], subject.others.x[:count]])
    y = np.concatenate([subject.members.y[:count], subject.others.y[:count]])
    inside = np.arange(2 * count) < count
    known = balanced_halves(len(y), subject.models, subject.seed)
    data = (subject.standard(x), y)
    if subject.has_scores:
        references = shadow_scores(data, known, subject.recipe, seed=subject.seed, progress=progress)
        said = subject.target.probabilities(x)
        wide = max(said.shape[1], references.shape[2])
        seen = Observed(_wide(said, wide), _wide(references, wide), known, y)
        leaks = [judge_membership(one.name, one.score(seen), inside, seed=subject.seed) for one in attacks_on(*data)]
    else:
        leaks = [_by_labels(subject, data, known, (x, inside))]
    return told(leaks, f"{len(known)} models of the attacker's own; members and others: {count} each.")


def _wide(scores: np.ndarray, classes: int) -> np.ndarray:
    """Return scores with as many classes as are known anywhere; what is missing has none."""
    missing = classes - scores.shape[-1]
    return np.concatenate([scores, np.zeros((*scores.shape[:-1], missing))], axis=-1) if missing else scores


def _by_labels(
    subject: Subject, data: tuple[np.ndarray, np.ndarray], known: np.ndarray, asked: tuple[np.ndarray, np.ndarray]
) -> Leak:
    strengths, copies = (0.1, 0.3), 4
    stack = train(*data, known, subject.recipe, subject.seed)
    x, inside = asked

    def share(labels: Labels, rows: np.ndarray) -> np.ndarray:
        return kept_share(labels, rows, data[1], strengths=strengths, copies=copies, seed=subject.seed)

    low, high = x.min(), x.max()
    target = share(lambda rows: subject.target.labels(np.clip(rows, low, high)), x)
    singles = [stack.one(number) for number in range(len(known))]
    references = np.stack([share(partial(_labels, one), data[0]) for one in singles])
    scores = label_only_scores(target, references, known, 1 + copies * len(strengths))
    return judge_membership("label only", scores, inside, seed=subject.seed)


def _labels(one: Stack, x: np.ndarray) -> np.ndarray:
    return np.asarray(one.logits(x)[0].argmax(axis=1))


def of_recipe(found: Study, way: str) -> Family:
    """Return what a study of a way of training found, where there is no finished model to ask."""
    note = (
        f"No finished model was asked: every model was a target in turn. Accuracy {found.train_accuracy} on members, "
        f"{found.test_accuracy} on others."
    )
    return replace(told(found.leaks, note), name=f"membership, {way}")


def told(leaks: Sequence[Leak], note: str) -> Family:
    """Return leaks as a family: the attack that finds most members at 1 % false positives counts."""
    most = max(leaks, key=lambda one: (one.tpr[_RATE].value, one.auc.value))
    figure = most.tpr[_RATE]
    grade: Grade = "leaks" if figure.low > 2 * _RATE else "little" if figure.value > 2 * _RATE else "none"
    rows = [("attack", "AUC", *(f"members found at {rate:.1%} false positives" for rate in most.tpr))]
    rows += [(one.attack, f"{one.auc.value:.3f}", *(str(got) for got in one.tpr.values())) for one in leaks]
    curves = {one.attack: _thinned(one) for one in sorted(leaks, key=lambda one: -one.tpr[_RATE].value)[:3]}
    says = f"{figure.value:.1%} of members are found at 1 % false positives, by {most.attack}; by chance it is 1 %."
    return Family("membership", grade, says, figure, rows, curves, notes=(note,))


def _thinned(leak: Leak) -> list[tuple[float, float]]:
    """Return the curve at forty places spread over its logarithm."""
    rates = np.unique(np.geomspace(1e-3, 1, 40))
    return [(float(rate), leak.roc.at(float(rate))) for rate in rates]


def one_run(subject: Subject, promised: tuple[Recipe, float, float] | None) -> Family:
    """Refute an epsilon from one training run with canaries: of the private recipe where there is one."""
    recipe, epsilon, delta = promised or (subject.recipe, float("inf"), 1e-5)
    x, y = subject.standard(subject.members.x[:MOST]), subject.members.y[:MOST]
    planted = with_canaries(x, y, CANARIES, seed=subject.seed)
    stack = train(planted.x, planted.y, planted.inside, recipe, subject.seed)
    scores = planted.scores(_path(stack.weights))
    found = audit(scores, planted.coins, delta=delta)
    curve = audit(scores, planted.coins, delta=delta, bound=gaussian_bound)
    what = f"epsilon {epsilon:g} was promised" if promised else "nothing was promised"
    grade: Grade = "leaks" if found.epsilon > min(epsilon, 1.0 if not promised else epsilon) else "none"
    return Family(
        "one-run audit",
        grade,
        f"Training as the recipe says is not private below epsilon {found.epsilon:.2f} ({what}).",
        headline=f"ε ≥ {found.epsilon:.2f}",
        rows=(("refuted claim", "canaries", "guesses", "right", "lower bound on epsilon", "confidence"),
              *((claim, str(CANARIES), str(one.guesses), str(one.right), f"{one.epsilon:.2f}", f"{one.confidence:.0%}")
                for claim, one in (("(epsilon, delta)-DP", found), ("as private as that Gaussian mechanism", curve)))),
        notes=("The recipe of the attacker's own models is audited, not the finished model. A bound refutes; "
               "it never proves privacy.",),
    )  # fmt: skip


def _path(weights: Sequence[object]) -> np.ndarray:
    """Return how far each input moves each class through all layers, without activations (d, classes)."""
    product = np.asarray(weights[0])[0]
    for weight in weights[1:]:
        product = product @ np.asarray(weight)[0]
    return np.asarray(product)
