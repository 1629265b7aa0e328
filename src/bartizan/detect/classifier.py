"""The trained classifier as a detector: the whole text, in every reading that could matter; says where and how sure.

A window of text is as bad as its places together; a text is as bad as its worst window. A long text has more windows
that can err, so its threshold is higher: by as much as clean pages of its length need, named in the card. In a long
document an order is given away by words that are foreign to it, so there are two thresholds for orders: one on how much
a window reads like an order, and one on that together with how foreign it is. Either blocks, so nothing that is added
around an order to make it less foreign takes it below the first.
"""

import copy
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Text, Trust
from bartizan.detect.cascade import Worst, sentences_at
from bartizan.detect.shipped import Shipped
from bartizan.detect.spellings import Spellings
from bartizan.detect.tokens import Tokenizer, Tokens
from bartizan.detect.views import View, fold, views

_KEYWORDS = (
    "ignore", "disregard", "forget", "instruction", "system prompt", "password", "pretend", "reveal", "restrict",
    "previous", "secret", "jailbreak", "override", "bypass", "you are", "assistant", "without", "please", "tell me",
    "how to", "execute", "whoami", "hacker", "filter", "system", "capture", "process", "generate",
    "ignorier", "vergiss", "ignora", "olvida", "oublie", "instruc",
)  # fmt: skip
_COMMON = (
    "about", "access", "answer", "been", "could", "create", "explain", "from", "have", "import", "making", "message",
    "output", "print", "prompt", "provide", "repeat", "sentence", "should", "that", "their", "they", "this", "what",
    "which", "will", "with", "would", "write", "your",
)  # fmt: skip
"""Words of English as it is written anywhere: backwards or in rot13 hardly any text holds one by chance."""
_SPELLINGS = Spellings([((*_KEYWORDS, *_COMMON),)])


@dataclass(frozen=True)
class Thresholds:
    """Log odds from which a text is blocked: for each length in tokens one for attacks, one for planted orders.

    Cards of older classifiers have none for orders foreign to their document: such orders then count as any other.
    """

    lengths: Sequence[float]
    attack: Sequence[float]
    planted: Sequence[float]
    foreign: Sequence[float] = ()

    def of(self, tokens: int) -> NDArray[np.float32]:
        """Return the thresholds of a text of so many tokens, between two lengths by the logarithm."""
        known = np.log(self.lengths)
        at = math.log(max(1, tokens))
        each = (self.attack, self.planted, self.foreign) if self.foreign else (self.attack, self.planted)
        return np.array([np.interp(at, known, one) for one in each], np.float32)


@dataclass(frozen=True, slots=True)
class Seen:
    """The worst place of a text: how far above its threshold (log odds), in which reading, which characters."""

    margin: float
    kind: int
    """0 an attack on the assistant, 1 an order planted in a document, 2 one whose words are foreign to the document."""
    view: View
    start: int
    end: int


class Classifier:
    """Finds attacks by what texts of their kind look like. Thread-safe."""

    name = "classifier"

    def __init__(self, model: Shipped, words: Tokenizer, budget: str = "1%") -> None:
        """Use the thresholds that the card names for a `budget` of false positives: `1%` or `0.1%`."""
        self.cascade = model.cascade
        self.words = words
        named: Mapping[str, list[float]] = model.card["thresholds"][budget]
        self.thresholds = Thresholds(named["tokens"], named["attack"], named["planted"], named.get("foreign", ()))

    def glancing(self) -> "Classifier":
        """Return one that raises NeedsTime for texts that the fast network cannot clear."""
        other = copy.copy(self)
        other.cascade = self.cascade.glancing()
        return other

    def scan(self, text: Text) -> Iterator[Finding]:
        """Yield one finding: HIGH when the text is above its threshold, else INFO with the score alone."""
        worst = self.worst(text)
        if worst is not None:
            yield self.finding(worst, text.origin)

    def finding(self, worst: Seen, origin: str) -> Finding:
        """Return what the worst place of a text amounts to."""
        score = 1 / (1 + math.exp(-max(-30.0, min(30.0, worst.margin))))
        what = (
            "looks like an attack on the assistant",
            "holds an order to the assistant",
            "holds an order to the assistant in words foreign to the rest of it",
        )[worst.kind]
        hidden = "" if worst.view.name in ("plain", "folded") else f" (hidden: {worst.view.name})"
        severity = Severity.HIGH if worst.margin >= 0 else Severity.INFO
        rule = ("injection", "planted-order", "planted-order")[worst.kind]
        return Finding(rule, severity, what + hidden, origin, worst.view.span(worst.start, worst.end), score)

    def worst(self, text: Text) -> Seen | None:
        """Return the worst window over all readings; None for a text without a token."""
        return worst_of(self._in(view, kinds_of(text.trust)) for view in readings(text.content))

    def _in(self, view: View, kinds: int) -> Seen | None:
        tokens = self.words.read(view.text)
        return self.seen(self.cascade.worst(tokens, kinds), view, tokens) if len(tokens.ids) else None

    def seen(self, worst: Worst, view: View, tokens: Tokens, length: int = 0) -> Seen:
        """Return the worst sentences of one reading against the thresholds for its length, or for `length` tokens."""
        needed = self.thresholds.of(length or len(tokens.ids))
        counted = min(len(needed), len(worst.scores))
        margins = worst.scores[:counted] - needed[:counted]
        kind = int(np.argmax(margins))
        first, count = sentences_at(self.words, tokens.ids, tokens.marks, int(worst.places[kind]))
        last = first + count - 1
        return Seen(float(margins[kind]), kind, view, int(tokens.starts[first]), int(tokens.ends[last]))


def kinds_of(trust: Trust) -> int:
    """Return how many answers count: a user may give orders, so only the first; in documents both."""
    return 1 if trust >= Trust.USER else 2


def worst_of(found: Iterable[Seen | None]) -> Seen | None:
    """Return the worst of several readings of one text; None when no one holds a token."""
    return max((seen for seen in found if seen is not None), key=lambda seen: seen.margin, default=None)


def readable(text: str) -> str:
    """Return the reading of `text` without invisible characters and disguised letters: what training reads too."""
    return fold(View("plain", text, range(len(text)), range(1, len(text) + 1))).text


def readings(text: str) -> Iterator[View]:
    """Yield the readings to score: the folded text in place of the plain one, then what is hidden in it."""
    every = views(text, _worth)
    plain = next(every)
    following = next(every, None)
    if following is not None and following.name == "folded":
        yield following
    else:
        yield plain
        if following is not None:
            yield following
    yield from every


def _worth(folded: str) -> Collection[str]:
    return _SPELLINGS.readings(folded.lower())
