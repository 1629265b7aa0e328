"""Which words a vector gives away: one linear decoder for all words, learnt from texts of the attacker's own.

Multi-label ridge regression (Song and Raghunathan 2020 train such decoders on auxiliary texts); penalty and threshold
are chosen on texts held back, for the best F1. Content words only: what a language needs anyway is no leak.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bartizan.lab.target import Array

_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_COMMON = frozenset(re.findall(r"\w+", """
    a about after again all also although am an and any are as at be because been before being but by
    can could did do does doing down during each few for from further had has have having he her here
    hers him his how i if in into is it its just me more most my no nor not now of off on once only or
    other our out over own she should since so some such than that the their them then there these they
    this those through to too under until up very was we were what when where which while who whom why
    will with would you your
"""))  # fmt: skip
PENALTIES = (0.003, 0.03, 0.3, 3.0, 30.0)
THRESHOLDS = np.linspace(0.04, 0.6, 15)


def words(text: str) -> list[str]:
    """Return the words and numbers of a text in order, in lower case."""
    return [found.lower() for found in _WORD.findall(text)]


def content(text: str) -> frozenset[str]:
    """Return the content words of a text: no articles, pronouns, prepositions."""
    return frozenset(words(text)) - _COMMON


@dataclass(frozen=True)
class Overlap:
    """How a set of words meets the true one, each 0..1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Return the harmonic mean of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def overlap(found: frozenset[str], truth: frozenset[str]) -> Overlap:
    """Return how `found` meets `truth`; nothing found has no precision."""
    hits = len(found & truth)
    return Overlap(hits / len(found) if found else 0.0, hits / len(truth) if truth else 0.0)


@dataclass(frozen=True)
class Decoder:
    """Learnt by `learn`."""

    vocabulary: tuple[str, ...]
    """Words that the attacker's texts hold twice or more, the most frequent first."""
    centre: Array
    weights: Array
    """(d, words)"""
    share: Array
    """How often each word occurs in the attacker's texts, (words,)."""
    threshold: float

    def scores(self, vectors: Array) -> Array:
        """Return for vectors (n, d) how likely each word is (n, words): about a probability, not bounded."""
        return np.asarray((vectors - self.centre) @ self.weights + self.share)

    def pull(self, difference: Array) -> Array:
        """Return (words,): what a difference of two vectors (d,) says of each word, to be added or taken away."""
        return np.asarray(difference @ self.weights)

    def bags(self, vectors: Array) -> list[frozenset[str]]:
        """Return for each vector the words above the threshold."""
        return [frozenset(np.array(self.vocabulary)[row >= self.threshold].tolist()) for row in self.scores(vectors)]


def learn(vectors: Array, texts: Sequence[str], *, seed: int) -> Decoder:
    """Return the decoder that vectors (n, d) of these n texts teach. Raises ValueError for fewer than 40 texts."""
    if len(texts) < 40 or len(texts) != len(vectors):
        raise ValueError(f"{len(vectors)} vectors of {len(texts)} texts: expected as many, and at least 40")
    bags = [content(text) for text in texts]
    counts = Counter(word for bag in bags for word in bag)
    vocabulary = tuple(word for word, count in counts.most_common() if count >= 2)
    number = {word: at for at, word in enumerate(vocabulary)}
    present = np.zeros((len(texts), len(vocabulary)), np.float32)
    for row, bag in enumerate(bags):
        present[row, [number[word] for word in bag if word in number]] = 1
    order = np.random.default_rng(seed).permutation(len(texts))
    back, kept = order[: len(order) // 4], order[len(order) // 4 :]
    sizes = np.array([len(bags[row]) for row in back])
    best = (-1.0, PENALTIES[0], float(THRESHOLDS[0]))
    for penalty in PENALTIES:
        centre, weights, share = _ridge(vectors[kept], present[kept], penalty)
        scores = (vectors[back] - centre) @ weights + share
        for threshold in THRESHOLDS:
            found = scores >= threshold
            hits = (found * present[back]).sum(axis=1)
            best = max(best, (float((2 * hits / (found.sum(axis=1) + sizes)).mean()), penalty, float(threshold)))
    centre, weights, share = _ridge(vectors, present, best[1])
    return Decoder(vocabulary, centre, weights, share, best[2])


def _ridge(vectors: Array, present: Array, penalty: float) -> tuple[Array, Array, Array]:
    centre, share = vectors.mean(axis=0), present.mean(axis=0)
    x = (vectors - centre).astype(np.float64)
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (present - share))
    return centre, weights.astype(np.float32), share


def frequent(texts: Sequence[str]) -> frozenset[str]:
    """Return the words to guess of a text that was never seen: the most frequent ones, as many as pay on these."""
    bags = [content(text) for text in texts]
    order = [word for word, _ in Counter(word for bag in bags for word in bag).most_common(40)]
    guesses = [frozenset(order[:count]) for count in range(1, len(order) + 1)]
    return max(guesses, key=lambda guess: sum(overlap(guess, bag).f1 for bag in bags))
