"""T06: an outsider rebuilds what a person behind a class looks like from a recogniser's answers.

The attacker owns images of strangers, spends a fixed number of questions in every way of `lab/inversion`, and the way
that an independent evaluator recognises most counts. The control is to let labels leave instead of scores.

Beside it, a thief of stored vectors reads the texts that they were made of (`lab/inversion/embedding_study.py`):
invented notes, the detector's own encoder, with noise on the vectors and without, a decoder that learnt under the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bartizan.core.measures import AtLeast, AtMost, Measurement, proportion
from bartizan.lab.needs import need
from bartizan.policy.release import Release
from bartizan.threats.base import Claim, Evidence, Threat
from bartizan.threats.bench import Bench

if TYPE_CHECKING:
    from bartizan.lab.inversion.embedding_study import Row
    from bartizan.lab.inversion.people import People

PEOPLE, GROUPS = 40, 4
QUESTIONS = 65
"""As many as give a softmax model of 64 pixels away."""
PATIENT = 10
"""A patient attacker asks this many times more."""
STORED, OWN = 60, 300
"""Notes whose vectors are stolen, and notes of the thief's own."""
NOISE = 2.0
"""Length of the noise on stored vectors, in lengths of a vector."""
SHOWN = "equations, anywhere, 20 steps"


def run(bench: Bench) -> Evidence:
    """Invert recognisers of several groups of people, with scores and with labels only."""
    for module in ("torch", "scipy", "sklearn"):
        need(module)
    from bartizan.lab.inversion.judge import similarity
    from bartizan.lab.inversion.people import people

    found = _Found()
    groups = GROUPS * min(bench.effort, 3)
    for number in range(groups):
        bench.progress("inversion", number, groups)
        found.attack(people(PEOPLE, bench.seed + number), bench.seed + number)
    bench.progress("inversion", groups, groups)
    texts, noisy, guessed = _texts(bench)
    best = {side: _best(bench, side, ways) for side, ways in found.hits.items()}
    return Evidence(
        off=best["off"],
        on=best["on"],
        measured={
            "with ten times the questions": best["patient"],
            "accuracy with and without": _share(found.right, bench.seed),
            "similarity of rebuilt images, without": similarity(
                np.vstack(found.images), np.vstack(found.faces), seed=bench.seed
            ),
            "words read from vectors of texts (F1)": texts.words.f1,
            "words read from vectors with noise (F1)": noisy.words.f1,
            "nearest ten that the noise keeps": noisy.kept,
        },
        baselines={
            "strangers' images recognised": _share(found.strangers, bench.seed),
            "evaluator on honest sightings": _share(found.knows, bench.seed),
            "words guessed without vectors (F1)": guessed,
        },
        families={
            how: (_share(won, bench.seed), _share(found.hits["on"][how], bench.seed))
            for how, won in found.hits["off"].items()
        },
        stopped_by={"release.labels_only": max(0, round((best["off"].value - best["on"].value) * groups * PEOPLE))},
        notes=(
            f"Success: people of {groups} groups of {PEOPLE} whose rebuilt image an independent evaluator knows.",
            f"{QUESTIONS} questions a group; the attacker owns 600 images of strangers. Chance is {1 / PEOPLE:.1%}.",
            f"Vectors: {STORED} invented notes, the thief owns {OWN} others; noise of {NOISE:g} lengths of a vector.",
        ),
    )


def _texts(bench: Bench) -> tuple[Row, Row, Measurement]:
    """Return what vectors of texts give away, the same under noise, and what guesses without them reach."""
    from bartizan.lab.inversion.embedding_study import Store, baselines, measured
    from bartizan.lab.inversion.notes import notes
    from bartizan.lab.inversion.vector_release import Noise
    from bartizan.threats.shipped_encoder import shipped_encoder

    store = Store(shipped_encoder(), notes(STORED, bench.seed), notes(OWN, bench.seed + 1), bench.seed)
    plain, noisy = measured(store), measured(store, Noise("noise", NOISE))
    for side, row in (("off", plain), ("on", noisy)):
        told = {"threat": "T06", "control": side, "case": "words from vectors of texts"}
        bench.record("attempt", {**told, "F1": str(row.words.f1)})
    return plain, noisy, baselines(store, plain)["frequent words"].f1


@dataclass
class _Found:
    """What was recognised, group by group; `hits` by side and way."""

    hits: dict[str, dict[str, list[np.ndarray]]] = field(default_factory=lambda: {"off": {}, "on": {}, "patient": {}})
    strangers: list[np.ndarray] = field(default_factory=list)
    knows: list[np.ndarray] = field(default_factory=list)
    right: list[np.ndarray] = field(default_factory=list)
    faces: list[np.ndarray] = field(default_factory=list)
    images: list[np.ndarray] = field(default_factory=list)

    def attack(self, group: People, seed: int) -> None:
        """Invert one group's recogniser without the control, with it, and with it by a patient attacker."""
        from bartizan.lab.inversion.judge import evaluator, recognised
        from bartizan.lab.inversion.rebuild import rebuild

        judge, scores = evaluator(group.evaluator, seed), _recogniser(group)
        labels = _only_labels(scores)
        sides = {"off": (scores, 1), "on": (labels, 1), "patient": (labels, PATIENT)}
        for side, (ask, times) in sides.items():
            for one in rebuild(ask, group.strangers, queries=times * QUESTIONS, seed=seed):
                self.hits[side].setdefault(one.how, []).append(recognised(judge, one.images))
                if side == "off" and one.how == SHOWN:
                    self.images.append(one.images)
        for start in range(0, len(group.strangers) - PEOPLE, PEOPLE):
            self.strangers.append(recognised(judge, group.strangers[start : start + PEOPLE]))
        self.knows.append(judge.logits(group.test[0].astype(np.float32))[0].argmax(axis=1) == group.test[1])
        self.right.append(labels(group.test[0]).argmax(axis=1) == group.test[1])
        self.faces.append(group.faces)


def _recogniser(group: People) -> Callable[[np.ndarray], np.ndarray]:
    model = need("sklearn.linear_model").LogisticRegression(max_iter=3000).fit(*group.train)
    predict: Callable[[np.ndarray], np.ndarray] = model.predict_proba
    return predict


def _only_labels(scores: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    control = Release(labels_only=True)
    return lambda x: control.apply(x, scores(x))


def _share(found: list[np.ndarray], seed: int) -> Measurement:
    joined = np.concatenate(found)
    return proportion(int(joined.sum()), len(joined), seed=seed)


def _best(bench: Bench, side: str, ways: dict[str, list[np.ndarray]]) -> Measurement:
    """Return the way that is recognised most over all groups, and record every way."""
    shares = {how: _share(found, bench.seed) for how, found in ways.items()}
    for how, share in shares.items():
        bench.record("attempt", {"threat": "T06", "control": side, "case": how, "recognised": str(share)})
    return max(shares.values(), key=lambda one: one.value)


T06 = Threat(
    id="T06",
    name="Model inversion",
    attacker="rebuilds the person behind a class from a recogniser's answers; owns images of strangers",
    attacks=(
        "MIFace on a copy from equations",
        "MIFace on a copy from labels",
        "the image that the model likes best",
        "linear decoder on stored vectors of texts",
    ),
    controls=("release: labels only (policy/release.py)", "noise on stored vectors (lab/inversion/vector_release.py)"),
    claims=(
        Claim("The attack is real: scores give faces away.", lambda e: e.off, AtLeast(0.70), reference_only=True),
        Claim("With labels only, the same questions give far fewer.", lambda e: e.on, AtMost(0.60)),
        Claim(
            "The evaluator does not take strangers for the people.",
            lambda e: e.baselines["strangers' images recognised"],
            AtMost(0.10),
        ),
        Claim(
            "The evaluator knows the people.",
            lambda e: e.baselines["evaluator on honest sightings"],
            AtLeast(0.80),
        ),
        Claim(
            "The attack is real: vectors of texts give their words away.",
            lambda e: e.measured["words read from vectors of texts (F1)"],
            AtLeast(0.5),
            reference_only=True,
        ),
        Claim(
            "With noise of two lengths, few words are read.",
            lambda e: e.measured["words read from vectors with noise (F1)"],
            AtMost(0.35),
            reference_only=True,
        ),
    ),
    residual=(
        "Labels only raise the price, they do not end it: an attacker with images of strangers and ten times the "
        "questions gets most of the way, so questions must be limited too. DP of single records does not hide a person "
        "who is a class of their own. Generative priors are not measured here. Noise that hides the words of stored "
        "texts takes most of retrieval with it, and a secret rotation falls to pairs of text and vector (`bartizan lab "
        "invert-embeddings`)."
    ),
    advice=(
        "Do not return a score for every person: return the label, or nothing when unsure.",
        "Limit questions per client.",
        "Guard stored vectors of texts like the texts: the same readers, the same encryption, the same deletion.",
        "Do not train one class per person where a comparison of embeddings kept on your side would do.",
    ),
    run=run,
)
