"""Rebuilds a sentence from its vector: a guess is embedded, and what its vector lacks says what to change.

The idea of vec2text (Morris et al. 2023) without a trained corrector: the linear decoder (`words.py`) reads the
difference between the stolen vector and the guess's, which names words to put in and to take out; the encoder ranks the
edits. Begins with the nearest of the attacker's own texts, which costs no question. Digits and
the order of words are changed at random.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bartizan.lab.inversion.words import Decoder, content
from bartizan.lab.target import Array

_TOKEN = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")
ROUND = 24
"""Guesses that are embedded together."""
BEAM = 2
PATIENCE = 4
"""Rounds without a better guess before it gives up."""

View = Callable[[Sequence[str]], Array]
"""Texts to vectors (n, k) as far as the attacker can make them like stolen ones, of length 1; every text counts."""


@dataclass(frozen=True)
class Rebuilt:
    """A sentence, how near its vector came (cosine) and how many texts were embedded for it."""

    text: str
    cosine: float
    questions: int


@dataclass(frozen=True)
class Corrector:
    """What an attacker brings: texts of his own with their vectors (n, k), and what they taught."""

    view: View
    decoder: Decoder
    texts: Sequence[str]
    vectors: Array
    seed: int = 0

    def rebuild(self, stolen: Array, questions: int) -> Rebuilt:
        """Return the best sentence for one stolen vector (k,) after at most `questions` embedded texts."""
        draw = np.random.default_rng((self.seed, int(np.abs(stolen).sum() * 1e6)))
        near = np.argsort(-(self.vectors @ stolen))[:BEAM]
        beam = [(float(self.vectors[row] @ stolen), _split(self.texts[row]), self.vectors[row]) for row in near]
        seen, asked, idle = {tuple(guess) for _, guess, _ in beam}, 0, 0
        while asked < questions and idle < PATIENCE:
            edits: list[list[str]] = []
            for _, guess, vector in beam:
                edits += self._edits(guess, stolen - vector, ROUND // len(beam), draw)
            fresh = [list(one) for one in dict.fromkeys(map(tuple, edits)) if one not in seen][: questions - asked]
            if not fresh:
                idle += 1
                continue
            vectors = self.view([_joined(guess) for guess in fresh])
            asked += len(fresh)
            seen.update(map(tuple, fresh))
            best = beam[0][0]
            reached = [(float(vector @ stolen), guess, vector) for guess, vector in zip(fresh, vectors, strict=True)]
            beam = sorted([*beam, *reached], key=lambda one: -one[0])[:BEAM]
            idle = 0 if beam[0][0] > best else idle + 1
        return Rebuilt(_joined(beam[0][1]), beam[0][0], asked)

    def _edits(self, guess: list[str], missing: Array, count: int, draw: np.random.Generator) -> list[list[str]]:
        """Return about `count` changes of a guess: words that the difference asks for, for those it does not."""
        pull = self.decoder.pull(missing)
        wanted = [self.decoder.vocabulary[at] for at in np.argsort(-pull)[:40]]
        wanted = [word for word in wanted if word not in map(str.lower, guess)]
        worth = dict(zip(self.decoder.vocabulary, pull.tolist(), strict=True))
        places = sorted(range(len(guess)), key=lambda at: worth.get(guess[at].lower(), 0.0))
        places = [at for at in places if content(guess[at])] or list(range(len(guess)))
        numbers = [at for at in places if guess[at].isdecimal()]
        edits = []
        for _ in range(count):
            way, at = draw.random(), places[_early(len(places), draw)]
            word = wanted[_early(len(wanted), draw)] if wanted else ""
            if numbers and way < 0.35:
                at = numbers[int(draw.integers(len(numbers)))]
                edits.append([*guess[:at], _number(guess[at], draw), *guess[at + 1 :]])
            elif word and way < 0.7:
                edits.append([*guess[:at], word, *guess[at + 1 :]])
            elif word and way < 0.8:
                at += int(draw.integers(2))
                edits.append([*guess[:at], word, *guess[at:]])
            elif way < 0.92:
                rest, to = [*guess[:at], *guess[at + 1 :]], int(draw.integers(len(guess)))
                edits.append([*rest[:to], guess[at], *rest[to:]])
            elif len(guess) > 2:
                edits.append([*guess[:at], *guess[at + 1 :]])
        return edits


def _early(count: int, draw: np.random.Generator) -> int:
    """Return a number below `count`, the first ones most often."""
    return min(int(draw.geometric(0.25)) - 1, count - 1)


def _number(digits: str, draw: np.random.Generator) -> str:
    """Return a number with one or two digits changed, or one more or fewer at its end."""
    way = draw.random()
    if way < 0.1:
        return digits + str(draw.integers(10))
    if way < 0.2 and len(digits) > 1:
        return digits[:-1]
    out = list(digits)
    for at in draw.integers(len(out), size=1 if way < 0.7 else 2):
        out[at] = str(draw.integers(10))
    return "".join(out)


def _split(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _joined(tokens: Sequence[str]) -> str:
    return re.sub(r" ([.,;:!?)])", r"\1", " ".join(tokens)).replace("( ", "(")
