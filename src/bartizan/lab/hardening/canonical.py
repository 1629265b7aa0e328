"""One spelling for all: a classifier that never sees the difference cannot be turned by it.

Words that mean the same become one word before training and before every answer (synonym encoding, Wang et al., UAI
2021); look-alike letters become the letters they look like; a word that training never saw becomes the known word one
slip away (word recognition, Pruthi et al., ACL 2019). The attacker knows it and attacks through it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bartizan.lab.evasion.texts import LOOKALIKES, is_slip, words_of
from bartizan.lab.target import Array, Target, Traits

_PLAIN = {ord(looks): ord(letter) for letter, looks in LOOKALIKES.items()}


@dataclass(frozen=True)
class Canonical:
    """Rewrites texts in one spelling. Made by `fitted`."""

    leading: Mapping[str, str]
    """The word that stands for each word with synonyms."""
    known: Mapping[str, int]
    """Words of training, as rewritten, and how often they came."""
    near: Mapping[str, tuple[str, ...]]
    """Known words by what is left of them without one of their letters, and whole."""

    @classmethod
    def fitted(cls, texts: Sequence[str], synonyms: Mapping[str, frozenset[str]], fewest: int = 2) -> Canonical:
        """Learn the words of `texts` that come `fewest` times or more."""
        leading = {word: min(group) for word, group in synonyms.items()}
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_led(word.translate(_PLAIN).lower(), leading) for word in words_of(text)[1::2])
        return cls.of({word: count for word, count in counts.items() if count >= fewest}, leading)

    @classmethod
    def of(cls, known: Mapping[str, int], leading: Mapping[str, str]) -> Canonical:
        """Return what reads the words `known` (with their counts), and those that `leading` puts one of them for."""
        # The members of a group are known too: a slip in one of them leads to the word that stands for it.
        targets = set(known) | {word for word, lead in leading.items() if lead in known}
        near: defaultdict[str, list[str]] = defaultdict(list)
        for word in sorted(targets):
            for key in set(_keys(word)):
                near[key].append(word)
        return cls(leading, known, {key: tuple(words) for key, words in near.items()})

    def __call__(self, text: str) -> str:
        """Return `text` in lower case and in the one spelling."""
        parts = words_of(text)
        parts[1::2] = [self.word(word) for word in parts[1::2]]
        return "".join(parts)

    def word(self, word: str) -> str:
        """Return the spelling that stands for `word`."""
        word = word.translate(_PLAIN).lower()
        led = _led(word, self.leading)
        if led in self.known:
            return led
        found = {near for key in _keys(word) for near in self.near.get(key, ()) if is_slip(near, word)}
        if not found:
            return led
        best = max(sorted(found), key=lambda near: self.known.get(_led(near, self.leading), 0))
        return _led(best, self.leading)

    def around(self, target: Target) -> Target:
        """Return `target` as it answers behind the rewriting; both count their questions."""
        asked = target.scores

        def predict(texts: Sequence[str]) -> Array:
            return asked([self(text) for text in texts])

        traits = Traits(target.traits.classes, target.access, target.traits.score_kind, target.traits.abstains)
        return Target(f"{target.name}, one spelling", predict, target.spec, traits)


def _led(word: str, leading: Mapping[str, str]) -> str:
    return leading.get(word, word)


def _keys(word: str) -> Iterator[str]:
    yield word
    for at in range(1, len(word) - 1):
        yield word[:at] + word[at + 1 :]
