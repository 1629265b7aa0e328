"""The families about answers: a copy of the model, images of its classes, and an attribute of a known person."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bartizan.core.measures import Measurement, bootstrap, proportion
from bartizan.lab.auditing.family import Family, Grade
from bartizan.lab.auditing.subject import Progress, Subject, flat
from bartizan.lab.evasion.pictures import picture
from bartizan.lab.extraction.equations import solve
from bartizan.lab.extraction.surrogates import Copy, Jacobian, LeastSure, Plan, Records, Way, steal
from bartizan.lab.inversion.judge import evaluator, similarity
from bartizan.lab.needs import need
from bartizan.lab.reference_classifier import network_for
from bartizan.lab.target import Access, Array

ROUNDS = (50, 150, 500, 1500, 5000)
SHOWN = 10
_STEPS, _STRIDE = 60, 0.03
_ATTRIBUTES = 4


def network(subject: Subject) -> Callable[[], object]:
    """Return how the thief makes an untrained network for these inputs."""
    need("torch")
    shape, classes = subject.others.x.shape[1:], subject.target.classes
    return lambda: network_for(shape, classes, subject.seed)


def extraction(subject: Subject, progress: Progress) -> tuple[Family, Copy]:
    """Steal the model from its labels in every way, and from its scores by equations; also return the best copy."""
    half = len(subject.others) // 2
    own, rest = subject.others.x[:half], subject.others.x[half:]
    truth = subject.target.labels(rest)
    rounds = [count for count in ROUNDS if count <= min(subject.questions, half)] or [min(subject.questions, half)]
    ways: list[Way] = [Records("own records", own), LeastSure(own)]
    if subject.is_image:
        low, high = float(own.min()), float(own.max())
        ways.append(Jacobian(own[: max(rounds[0], 1)], 0.1 * (high - low), bounds=(low, high)))
    curves: dict[str, list[tuple[float, float]]] = {}
    copies = []
    for number, way in enumerate(ways):
        progress("extraction", number, len(ways))

        def seen(copy: Copy, name: str = way.name) -> None:
            curves.setdefault(name, []).append((len(copy.asked), float((copy.labels(rest) == truth).mean())))

        plan = Plan(own.shape[1:], rounds, subject.seed, subject.steps)
        copies.append(steal(subject.target.labels, way, network(subject), plan, seen))  # type: ignore[arg-type]
    if subject.has_scores:
        curves |= _equations(subject, own, rest, truth)
    best = max(copies, key=lambda copy: float((copy.labels(rest) == truth).mean()))
    name, (count, agreed) = max(((n, c[-1]) for n, c in curves.items()), key=lambda one: one[1][1])
    figure = proportion(round(agreed * len(rest)), len(rest), seed=subject.seed)
    grade: Grade = "leaks" if figure.value >= 0.9 else "little"
    money = f", ${count * subject.price:,.2f}" if subject.price else ""
    rows = [("way", "questions", "agreement", "cost")]
    rows += [
        (way, f"{int(n):,}", f"{share:.1%}", f"${n * subject.price:,.2f}" if subject.price else "-")
        for way, curve in curves.items()
        for n, share in curve
    ]
    says = f"A copy agrees on {figure.value:.1%} of records after {int(count):,} questions ({name}{money})."
    notes = ("The thief owns records of the same kind and reads labels; equations read scores.",)
    return Family("extraction", grade, says, figure, rows, curves, notes=notes), best


def _equations(subject: Subject, own: Array, rest: Array, truth: Array) -> dict[str, list[tuple[float, float]]]:
    count = flat(own).shape[1] + 1
    if count > len(own):
        return {}
    model = solve(flat(own[:count]).astype(float), subject.target.probabilities(own[:count]), ridge=1e-9)
    return {"equations": [(count, float((model.labels(flat(rest)) == truth).mean()))]}


def inversion(subject: Subject, copy: Copy) -> Family:
    """Rebuild an input of every class from the model's gradients, or from a copy's, and ask an evaluator of its own."""
    classes, seed = subject.target.classes, subject.seed
    judge = evaluator((subject.standard(subject.others.x), subject.others.y), seed)
    known = np.unique(subject.others.y)
    start = subject.others.x.mean(axis=0)
    white = subject.target.access is Access.WHITE_BOX
    images = _climbed(subject, None if white else copy, start)
    said = judge.logits(subject.standard(images))[0].argmax(axis=1)
    hits = (said == np.arange(classes))[known[known < classes]]
    honest = judge.logits(subject.standard(subject.members.x[:500]))[0].argmax(axis=1) == subject.members.y[:500]
    figure = proportion(int(hits.sum()), len(hits), seed=seed)
    chance = 1 / classes
    grade: Grade = "leaks" if figure.low > 2 * chance else "little"
    means = np.stack([subject.members.x[subject.members.y == one].mean(axis=0) if (subject.members.y == one).any()
                      else start for one in range(classes)])  # fmt: skip
    low, high = float(subject.others.x.min()), float(subject.others.x.max())
    pictures = []
    for one in known[:SHOWN] if subject.is_image else ():
        shown = picture(means[one], low, high) + picture(images[one], low, high)
        pictures.append((f"class {one}: mean of its records, and rebuilt", shown))
    unit = (flat(np.stack([means[known], images[known]]).reshape(-1, *start.shape)) - low) / max(high - low, 1e-9)
    alike = similarity(unit[len(known) :], unit[: len(known)], seed=seed)
    how = "the model's own gradients" if white else f"a copy after {len(copy.asked):,} questions"
    says = f"{figure.value:.0%} of classes are recognised in inputs rebuilt from {how}; by chance {chance:.0%}."
    notes = (
        f"Evaluator on honest records: {proportion(int(honest.sum()), len(honest), seed=seed)}.",
        f"Similarity to the mean of the class's records: {alike}.",
        "Where a class is one person, a rebuilt class is that person; where it is a thing, it tells little.",
    )
    return Family("inversion", grade, says, figure, pictures=pictures, notes=notes)


def _climbed(subject: Subject, copy: Copy | None, start: Array) -> Array:
    """Return for each class the input reached from `start` by climbing its log-probability (MIFace)."""
    torch = need("torch")
    low, high = subject.others.x.min(axis=0), subject.others.x.max(axis=0)
    bounds = torch.from_numpy(low), torch.from_numpy(high)
    x = torch.from_numpy(np.repeat(start[None], subject.target.classes, axis=0).astype(np.float32))
    stride = torch.from_numpy(_STRIDE * (high - low))
    for _ in range(_STEPS):
        x.requires_grad_(True)
        logits = subject.target.logits(x) if copy is None else copy.module(x)
        torch.log_softmax(logits, dim=1).diagonal().sum().backward()
        slope = x.grad
        size = slope.abs().flatten(1).amax(dim=1).clamp_min(1e-12).reshape(-1, *[1] * (x.ndim - 1))
        x = torch.clamp(x.detach() + stride * slope / size, *bounds)
    return np.asarray(x.detach().numpy())


def attributes(subject: Subject) -> Family:
    """Guess features of members from everything else, with the model's answers and without them: the gain counts."""
    name = "attribute inference"
    x = flat(subject.others.x)
    few = [column for column in range(x.shape[1]) if 2 <= len(np.unique(x[:, column])) <= 10]
    if not few or subject.is_image or not subject.has_scores:
        return Family(name, "not measured", "Needs scores, and a feature of two to ten values.")
    chosen = sorted(few, key=lambda column: -_entropy(x[:, column]))[:_ATTRIBUTES]
    found = {column: _guessed(subject, column) for column in chosen}
    gains = {column: _gain(*pair, seed=subject.seed) for column, pair in found.items()}
    most = max(gains, key=lambda column: gains[column].value)
    figure = gains[most]
    grade: Grade = "leaks" if figure.low > 0.01 else "little" if figure.low > 0 else "none"
    rows = [("feature", "right without the model", "right with it", "gain")]
    rows += [
        (f"column {column}", f"{found[column][0].mean():.1%}", f"{found[column][1].mean():.1%}", str(gain))
        for column, gain in gains.items()
    ]
    says = f"With the model's answers, feature {most} of members is guessed right {figure.value:+.1%} more often."
    return Family(name, grade, says, figure, rows, notes=("Without the model: an imputer on all other features.",))


def _entropy(column: Array) -> float:
    share = np.unique(column, return_counts=True)[1] / len(column)
    return float(-(share * np.log(share)).sum())


def _gain(without: Array, with_it: Array, *, seed: int) -> Measurement:
    pairs = with_it.astype(float) - without.astype(float)
    return bootstrap(pairs.tolist(), lambda data: float(np.mean(data)), seed=seed, unit="share")


def _guessed(subject: Subject, column: int) -> tuple[Array, Array]:
    """Return for each member whether the imputer is right, and whether it is with the model's answers beside it."""
    ensemble, linear = need("sklearn.ensemble"), need("sklearn.linear_model")
    theirs, mine = subject.others.first(4000), subject.members.first(1000)
    values = np.unique(flat(theirs.x)[:, column])
    half = len(theirs) // 2

    def known(data: Array, y: Array) -> Array:
        return np.column_stack([np.delete(flat(data), column, axis=1), y])

    imputer = ensemble.HistGradientBoostingClassifier(max_iter=60, random_state=0)
    truth = np.searchsorted(values, flat(theirs.x)[:, column])
    imputer.fit(known(theirs.x[:half], theirs.y[:half]), truth[:half])

    def evidence(data: Array, y: Array) -> Array:
        guess = np.zeros((len(data), len(values)))
        guess[:, imputer.classes_] = imputer.predict_proba(known(data, y))
        answers = []
        for value in values:
            asked = flat(data).copy()
            asked[:, column] = value
            scores = subject.target.probabilities(asked.reshape(data.shape))
            own = scores[np.arange(len(y)), np.minimum(y, scores.shape[1] - 1)]
            answers.append(np.log(np.maximum(own, 1e-3)))
        return np.column_stack([np.log(guess + 1e-3), np.stack(answers, axis=1)])

    judge = linear.LogisticRegression(max_iter=5000, C=0.1)
    judge.fit(evidence(theirs.x[half:], theirs.y[half:]), truth[half:])
    real = flat(mine.x)[:, column]
    seen = evidence(mine.x, mine.y)
    plain = values[imputer.classes_[imputer.predict_proba(known(mine.x, mine.y)).argmax(axis=1)]]
    return plain == real, values[judge.predict(seen)] == real
