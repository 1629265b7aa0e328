"""Attacks on classifiers of texts, word by word, within a bound that leaves a reader the same meaning.

A word may become a synonym, or be spelled with one slip inside it or one look-alike letter: first and last letters
stay, which people read without noticing (Pruthi et al., ACL 2019). The search orders words by how much the model leans
on them and keeps what helps most (after TextFooler, Jin et al., AAAI 2020, and TextBugger, Li et al., NDSS 2019). It
needs scores only. The judge looks at the bound itself, so that nothing rests on the search keeping it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np

from bartizan.core.errors import BadSettings
from bartizan.core.measures import Measurement
from bartizan.lab.evasion.margins import margins, turned
from bartizan.lab.target import Array, Target

_WORD = re.compile(r"(\w+(?:['’]\w+)*)")
_SHORTEST = 4
"""Letters of the shortest word in which a slip goes unnoticed."""
LOOKALIKES: Mapping[str, str] = {
    "a": "а", "c": "с", "e": "е", "i": "і", "j": "ј", "o": "о", "p": "р", "s": "ѕ", "x": "х", "y": "у",
    "A": "А", "B": "В", "C": "С", "E": "Е", "H": "Н", "K": "К", "M": "М", "O": "О", "P": "Р", "T": "Т", "X": "Х",
}  # fmt: skip
"""Latin letters and the Cyrillic ones that look the same in print."""
_NEAR = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
"""Neighbours on the keyboard."""


@cache
def synonyms() -> Mapping[str, frozenset[str]]:
    """Return the shipped words with the words that mean the same; each word is in one group only."""
    lines = files("bartizan.lab.evasion").joinpath("synonyms.txt").read_text(encoding="utf-8").splitlines()
    groups = [frozenset(line.split()) for line in lines if line and not line.startswith("#")]
    return by_word(groups)


def by_word(groups: Sequence[frozenset[str]]) -> Mapping[str, frozenset[str]]:
    """Return each word with its group. Raises BadSettings for a word in two groups: then they would be one."""
    found: dict[str, frozenset[str]] = {}
    for group in groups:
        for word in group:
            if word in found:
                raise BadSettings(f"synonyms: {word!r} stands in two groups, expected one")
            found[word] = group
    return found


@dataclass(frozen=True)
class TextBound:
    """What may be done to a text: at most `share` of its words (at least one) changed, the rest as it was."""

    share: float = 0.2
    synonyms: Mapping[str, frozenset[str]] = field(default_factory=synonyms)

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        if not 0 < self.share <= 1:
            raise BadSettings(f"share of words = {self.share}: expected above 0, at most 1")

    def most(self, text: str) -> int:
        """Return how many words of `text` may be changed."""
        return max(1, int(self.share * len(_WORD.findall(text))))

    def allows(self, original: str, text: str) -> bool:
        """Return whether `text` is within the bound of `original`."""
        before, after = _WORD.split(original), _WORD.split(text)
        if len(before) != len(after):
            return False
        changed = [(one, two) for one, two in zip(before[1::2], after[1::2], strict=True) if one != two]
        return (
            before[::2] == after[::2]
            and len(changed) <= self.most(original)
            and all(self.same_word(one, two) for one, two in changed)
        )

    def same_word(self, word: str, other: str) -> bool:
        """Return whether a reader takes `other` for `word`: a synonym, one slip inside, or one look-alike letter."""
        if other.lower() in self.synonyms.get(word.lower(), ()):
            return True
        return is_slip(word, other) or _is_lookalike(word, other)

    def choices(self, word: str) -> Iterator[str]:
        """Yield other forms of `word` that are worth a question: synonyms, then slips, then look-alikes."""
        for synonym in sorted(self.synonyms.get(word.lower(), frozenset()) - {word.lower()}):
            yield synonym.capitalize() if word[0].isupper() else synonym
        if len(word) >= _SHORTEST:
            yield from (slip for slip in dict.fromkeys(_slips(word)) if slip != word)
        for at, letter in enumerate(word):
            if letter in LOOKALIKES:
                yield word[:at] + LOOKALIKES[letter] + word[at + 1 :]

    def __str__(self) -> str:
        """Return the bound as people write it."""
        return f"at most {self.share:.0%} of the words: synonyms, one slip or one look-alike letter in each"


@dataclass(frozen=True)
class WordSearch:
    """Greedy search word by word, at most `queries` questions for each text."""

    queries: int = 300
    seed: int = 0

    @property
    def name(self) -> str:
        """Return the name with its budget."""
        return f"word search {self.queries}"

    def perturb(self, target: Target, bound: TextBound, texts: Sequence[str], y: Array) -> list[str]:
        """Return a proposal for each text; the judge looks at the bound and asks again."""
        return [
            self._one(target, bound, text, int(label), random.Random(f"{self.seed}-{number}"))
            for number, (text, label) in enumerate(zip(texts, y, strict=True))
        ]

    def _one(self, target: Target, bound: TextBound, text: str, label: int, draw: random.Random) -> str:
        parts = _WORD.split(text)
        places = list(range(1, len(parts), 2))[: max(1, self.queries // 2)]

        def asked(some: list[list[str]]) -> Array:
            return margins(target, ["".join(one) for one in some], np.full(len(some), label))

        without = [[*parts[:at], "", *parts[at + 1 :]] for at in places]
        leans = asked([parts, *without])
        spent, best = len(leans), float(leans[0])
        changed = 0
        for _, at in sorted(zip(-(leans[1:] - leans[0]), places, strict=True)):
            if best > 0 or changed >= bound.most(text) or spent >= self.queries:
                break
            choices = list(bound.choices(parts[at]))
            known = len(bound.synonyms.get(parts[at].lower(), (0,))) - 1
            spelled = choices[known:]
            draw.shuffle(spelled)
            some = [
                [*parts[:at], word, *parts[at + 1 :]] for word in (choices[:known] + spelled)[: self.queries - spent]
            ]
            if not some:
                continue
            found = asked(some)
            spent += len(some)
            if found.max() > best:
                best, parts = float(found.max()), some[int(found.argmax())]
                changed += 1
        return "".join(parts)


def judge_texts(
    target: Target, bound: TextBound, texts: Sequence[str], y: Array, proposal: Sequence[str], seed: int
) -> Measurement:
    """Return the share of rightly answered texts that were turned; what is outside the bound counts as unchanged."""
    return turned(target, list(texts), y, within(bound, texts, proposal), seed)


def within(bound: TextBound, texts: Sequence[str], proposal: Sequence[str]) -> list[str]:
    """Return the proposals, and the original where one is outside the bound."""
    return [new if bound.allows(old, new) else old for old, new in zip(texts, proposal, strict=True)]


def words_of(text: str) -> list[str]:
    """Return what stands between the words of `text` and the words, in turn: odd places are words."""
    return _WORD.split(text)


def is_slip(word: str, other: str) -> bool:
    """Return whether `other` is `word` with one letter swapped, dropped, added or replaced between its ends."""
    if len(word) < _SHORTEST or not other or (word[0], word[-1]) != (other[0], other[-1]) or word == other:
        return False
    one, two = word[1:-1], other[1:-1]
    start = 0
    while start < min(len(one), len(two)) and one[start] == two[start]:
        start += 1
    end = 0
    while end < min(len(one), len(two)) - start and one[-1 - end] == two[-1 - end]:
        end += 1
    left, right = one[start : len(one) - end], two[start : len(two) - end]
    if len(left) == len(right) == 2:  # two neighbours that changed places
        return left == right[::-1]
    return len(left) <= 1 and len(right) <= 1


def _is_lookalike(word: str, other: str) -> bool:
    if len(word) != len(other):
        return False
    differ = [(one, two) for one, two in zip(word, other, strict=True) if one != two]
    return len(differ) == 1 and LOOKALIKES.get(differ[0][0]) == differ[0][1]


def _slips(word: str) -> Iterator[str]:
    for at in range(1, len(word) - 1):
        if at < len(word) - 2:  # both letters lie between the ends
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        yield word[:at] + word[at + 1 :]
        yield word[: at + 1] + word[at:]
        for near in _NEAR.get(word[at].lower(), ""):
            yield word[:at] + near + word[at + 1 :]
