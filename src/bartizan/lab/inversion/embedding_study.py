"""What a store of vectors gives away of its texts: words, values, attributes and sentences, without and with defences.

The attacker may ask the encoder, owns texts of his own and learns on vectors that went through the same defence, with
randomness of his own. A rotation's key he does not have: he turns vectors back by pairs that he knows, or without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bartizan.core.errors import BadSettings
from bartizan.core.measures import Measurement, bootstrap, proportion
from bartizan.lab.inversion.notes import Note
from bartizan.lab.inversion.sentences import Corrector, Rebuilt
from bartizan.lab.inversion.vector_release import Defence, Plain, Rotation, aligned, unrotated
from bartizan.lab.inversion.words import Decoder, content, frequent, learn, overlap, words
from bartizan.lab.needs import need
from bartizan.lab.target import Array
from bartizan.lab.targets.encoders import Encoder

NEAREST = 10
FEWEST = 40
NONE = Plain()
Way = tuple[str, Array, tuple[Array, Sequence[str]]]
"""An attacker: a name, the stolen vectors as he turns them, and vectors and texts that he learns from."""


@dataclass(frozen=True)
class Store:
    """Texts whose vectors were stolen, and texts of the attacker's own, of the same kind or not."""

    encoder: Encoder
    stolen: Sequence[Note]
    own: Sequence[Note]
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is too little to measure with."""
        if len(self.stolen) < NEAREST + 1 or len(self.own) < FEWEST:
            raise BadSettings(
                f"{len(self.stolen)} stolen texts and {len(self.own)} of the attacker's own: expected at least "
                f"{NEAREST + 1} and {FEWEST}"
            )

    @cached_property
    def theirs(self) -> Array:
        """Return the vectors of the stolen texts, before any defence."""
        return self.encoder([note.text for note in self.stolen])

    @cached_property
    def mine(self) -> Array:
        """Return the vectors of the attacker's own texts."""
        return self.encoder([note.text for note in self.own])

    @cached_property
    def queries(self) -> Array:
        """Return vectors to search with: the stolen texts' questions, or else the attacker's own texts."""
        asked = [note.question for note in self.stolen if note.question][:200]
        return self.encoder(asked) if asked else self.mine[:200]

    @property
    def texts(self) -> list[str]:
        """Return the attacker's own texts."""
        return [note.text for note in self.own]


@dataclass(frozen=True)
class Words:
    """How recovered bags of words meet the true ones, means over texts."""

    precision: Measurement
    recall: Measurement
    f1: Measurement
    values: Mapping[str, Measurement]
    """By kind: the share of planted values whose words are all in the bag."""


@dataclass(frozen=True)
class Row:
    """One defence against the best attacker who knows it."""

    defence: str
    attacker: str
    words: Words
    kept: Measurement
    """Share of the nearest ten by undefended vectors that are among the nearest ten by defended ones (recall@10)."""
    attributes: Mapping[str, Measurement]
    """By attribute: how much more often it is guessed right than by the most frequent value; a share, may be < 0."""
    decoder: Decoder
    stolen: Array
    learnt_on: Array
    bags: Sequence[frozenset[str]]


def judge_words(bags: Sequence[frozenset[str]], truth: Sequence[Note], *, seed: int) -> Words:
    """Return how bags meet the texts of their rows, and which planted values they hold whole."""
    met = [overlap(bag, content(note.text)) for bag, note in zip(bags, truth, strict=True)]
    held = [
        {kind: set(words(value)) <= bag for kind, value in note.values.items()}
        for bag, note in zip(bags, truth, strict=True)
    ]

    def mean(values: Sequence[float]) -> Measurement:
        return bootstrap(values, lambda data: float(data.mean()), seed=seed, unit="share")

    return Words(
        mean([one.precision for one in met]),
        mean([one.recall for one in met]),
        mean([one.f1 for one in met]),
        shares(held, seed),
    )


def shares(held: Sequence[Mapping[str, bool]], seed: int) -> dict[str, Measurement]:
    """Return by kind the share of texts with such a value in which it was held."""
    kinds = sorted({kind for one in held for kind in one})
    found = {kind: [one[kind] for one in held if kind in one] for kind in kinds}
    return {kind: proportion(sum(hits), len(hits), seed=seed) for kind, hits in found.items()}


def baselines(store: Store, row: Row) -> dict[str, Words]:
    """Return what guesses without the vector reach: frequent words, and what the vector of another text gave."""
    often = frequent(store.texts)
    others = [*row.bags[1:], row.bags[0]]
    return {
        "frequent words": judge_words([often] * len(store.stolen), store.stolen, seed=store.seed),
        "another text's vector": judge_words(others, store.stolen, seed=store.seed),
    }


def measured(store: Store, defence: Defence = NONE, *, pairs: int = 0) -> Row:
    """Return what the best attacker reads from vectors under `defence`; he knows the texts of `pairs` stored ones."""
    stolen = defence.applied(store.theirs, store.seed + 1)
    ways = _ways(store, defence, stolen, pairs)
    rows = []
    for attacker, vectors, (mine, texts) in ways:
        decoder = learn(mine, texts, seed=store.seed)
        bags = decoder.bags(vectors)
        rows.append((judge_words(bags, store.stolen, seed=store.seed), attacker, vectors, mine, decoder, bags))
    found, attacker, vectors, mine, decoder, bags = max(rows, key=lambda one: one[0].f1.value)
    known = store.own[: len(mine)]
    gains = _gains(mine, known, vectors, store.stolen, store.seed)
    return Row(defence.name, attacker, found, _kept(store, defence, stolen), gains, decoder, vectors, mine, bags)


def _ways(store: Store, defence: Defence, stolen: Array, pairs: int) -> list[Way]:
    """Return each attacker that such a defence and so many known pairs allow."""
    if not isinstance(defence, Rotation):
        return [("learns on defended vectors", stolen, (defence.applied(store.mine, store.seed + 2), store.texts))]
    plain = (store.mine, store.texts)
    if not pairs:
        return [("matches axes, no pairs", aligned(stolen, store.mine), plain)]
    known = store.mine[:pairs]
    seen = defence.applied(known, store.seed + 1)
    ways: list[Way] = [(f"{pairs} pairs, rotation", unrotated(stolen, known, seen), plain)]
    if pairs >= FEWEST:
        ways.append((f"{pairs} pairs, learns on them", stolen, (seen, store.texts[:pairs])))
    return ways


def _kept(store: Store, defence: Defence, stolen: Array) -> Measurement:
    clean = np.argsort(-(store.queries @ store.theirs.T), axis=1)[:, :NEAREST]
    now = np.argsort(-(defence.asked(store.queries) @ stolen.T), axis=1)[:, :NEAREST]
    kept = [len(set(one) & set(other)) / NEAREST for one, other in zip(clean.tolist(), now.tolist(), strict=True)]
    return bootstrap(kept, lambda data: float(data.mean()), seed=store.seed, unit="share")


def _gains(mine: Array, own: Sequence[Note], stolen: Array, truth: Sequence[Note], seed: int) -> dict[str, Measurement]:
    """Return for each attribute of both sides how much more often a linear guess is right than the usual value."""
    linear, gains = need("sklearn.linear_model"), {}
    for name in sorted({name for note in truth for name in note.attributes}):
        known = [at for at, note in enumerate(own) if name in note.attributes]
        asked = [at for at, note in enumerate(truth) if name in note.attributes]
        values = [own[at].attributes[name] for at in known]
        if len(set(values)) < 2 or len(asked) < NEAREST:
            continue
        usual = max(sorted(set(values)), key=values.count)
        guess = linear.RidgeClassifierCV(alphas=(0.01, 0.1, 1.0, 10.0)).fit(mine[known], values).predict(stolen[asked])
        right = [note.attributes[name] for note in (truth[at] for at in asked)]
        more = [float(one == real) - float(usual == real) for one, real in zip(guess, right, strict=True)]
        gains[name] = bootstrap(more, lambda data: float(data.mean()), seed=seed, unit="share")
    return gains


@dataclass(frozen=True)
class Sentences:
    """Rebuilt sentences of the first stolen texts, and how they meet the true ones."""

    rebuilt: Sequence[Rebuilt]
    words: Words
    values: Mapping[str, Measurement]
    """By kind: the share of planted values that stand in the sentence letter by letter (case apart)."""
    cosine: Measurement
    questions: Measurement
    """Texts embedded for one sentence, apart from the attacker's own."""


def rebuilt(store: Store, row: Row, defence: Defence, *, count: int, questions: int) -> Sentences:
    """Rebuild the first `count` stolen texts with at most `questions` embedded texts each."""

    def view(texts: Sequence[str]) -> Array:
        return defence.settled(store.encoder(texts))

    texts = store.texts[: len(row.learnt_on)]
    own = defence.settled(store.mine[: len(texts)]) if not isinstance(defence, Rotation) else row.learnt_on
    corrector = Corrector(view, row.decoder, texts, own, store.seed)
    found = [corrector.rebuild(vector, questions) for vector in row.stolen[:count]]
    truth = store.stolen[:count]
    held = [
        {kind: value.lower() in one.text.lower() for kind, value in note.values.items()}
        for one, note in zip(found, truth, strict=True)
    ]

    def mean(values: Sequence[float], unit: str) -> Measurement:
        return bootstrap(values, lambda data: float(data.mean()), seed=store.seed, unit=unit)

    return Sentences(
        found,
        judge_words([content(one.text) for one in found], truth, seed=store.seed),
        shares(held, store.seed),
        mean([one.cosine for one in found], "cosine"),
        mean([float(one.questions) for one in found], "texts"),
    )
