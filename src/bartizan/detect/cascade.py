"""Two classifiers, one answer: the fast network reads every token, the encoder settles what the network cannot clear.

The network's windows above a floor are looked at by the encoder, the worst first and only so many, in a text
that is longer than one window each twice: the window as a whole, and the sentences alone in which the network's worst
token stands. What is around an order dilutes it; what stands alone lacks what would explain it: both count. A text's
score is that of its worst window. Most innocent texts never reach the encoder. A long document has a third score beside
attack and planted order: a planted order whose words are foreign to the document (`foreign.py`) weighs more.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from bartizan.detect import foreign
from bartizan.detect.base import NeedsTime
from bartizan.detect.encoder import SPAN, Encoder
from bartizan.detect.network import Network
from bartizan.detect.tokens import Ids, Marks, Tokenizer, Tokens

Array = NDArray[np.float32]
Known = dict[tuple[int, int], Array]
"""What the encoder says of the window at a token, of so many tokens."""
WINDOW = 64
"""Tokens whose scores count together in the network."""
SHARPNESS = 2.0
"""Of the soft maximum within a window, as in training."""
CLEARED = -8.0
"""The encoder's answer where it is not asked: lower than it says of nearly any window."""
_FEWEST, _MOST, _TOKENS_A_LOOK = 2, 64, 1_000
CLOSE, WIDEST = 16, 48
"""Tokens that a close look takes at least, of whole sentences, and at most."""


@dataclass(frozen=True, slots=True)
class Mix:
    """From which score of the network on (attack, planted order) the encoder is asked, and how both scores add up."""

    floor: tuple[float, float]
    share: float
    """Of the network's score in the sum; the encoder's counts whole."""
    close: float = 0.0
    """Of the encoder's close look in its score, in texts of more than one window; 0: no close look."""
    long_share: float = 0.0
    """Of the network's score where there is a close look."""
    foreign: float = 12.0
    """Of the share of foreign word pairs in the third score; the planted order's own score counts whole there."""
    beside: float = 0.2
    """Of the score as an attack in the third score."""


@dataclass(frozen=True, slots=True)
class Look:
    """What network and encoder say together of one window of a text."""

    scores: Array
    """As an attack, a planted order and, in a long document, a planted order that is foreign to it."""
    windows: NDArray[np.int64]
    """First token of the network's worst window there, for each score."""
    close: tuple[int, int] | None = None
    """First token of the sentences that it looked at alone, and how many; None without a close look."""


@dataclass(frozen=True, slots=True)
class Worst:
    """For each kind (as in `Look.scores`) the highest score in a text, and the worst token of its window."""

    scores: Array
    places: NDArray[np.int64]


class Unasked:
    """Stands where the encoder does when nobody can wait for it."""

    def scores(self, tokens: Tokens, first: int = 0, count: int = SPAN) -> NoReturn:
        """Raise NeedsTime."""
        raise NeedsTime


class Cascade:
    """Scores texts of any length. Holds no state between them; thread-safe."""

    def __init__(self, network: Network, encoder: Encoder | Unasked, mix: Mix, words: Tokenizer) -> None:
        """Use the four that were trained together."""
        self._network = network
        self._encoder = encoder
        self._mix = mix
        self._words = words
        self._floor = np.array(mix.floor, np.float32)
        self._close = np.float32(mix.close)

    def glancing(self) -> "Cascade":
        """Return one that raises NeedsTime where the encoder would be asked."""
        return Cascade(self._network, Unasked(), self._mix, self._words)

    @property
    def mix(self) -> Mix:
        """Return how the scores add up."""
        return self._mix

    def weighing(self, mix: Mix) -> "Cascade":
        """Return the same networks, their scores added up otherwise."""
        return Cascade(self._network, self._encoder, mix, self._words)

    @property
    def network(self) -> Network:
        """Return the fast one, for texts that stream in."""
        return self._network

    def worst(self, tokens: Tokens, kinds: int = 2) -> Worst:
        """Return the worst windows of a text with at least one token, of the first one or of both kinds."""
        return self.settled(tokens, self._network.scores(tokens), kinds, {})

    def settled(self, tokens: Tokens, scores_of: Array, kinds: int, known: Known, offset: int = 0) -> Worst:
        """Return the worst windows of a text from the network's scores; `known` keeps what the encoder has said.

        Of a part of a text, `offset` is the number of its first token, and scores may be missing at its end.
        """
        quick = window_scores(scores_of[:, :kinds])
        scores = CLEARED + self._share(tokens, offset) * _bounded(quick.max(0))
        places = quick.argmax(0)
        for look in self._looks(tokens, scores_of, quick, known, offset):
            if len(look.scores) > len(scores):
                scores, places = np.append(scores, scores[1:]), np.append(places, places[1:])
            places = np.where(look.scores > scores, look.windows, places)
            scores = np.maximum(scores, look.scores)
        peaks = [
            first + int(scores_of[first : first + WINDOW, min(kind, 1)].argmax()) for kind, first in enumerate(places)
        ]
        return Worst(scores.astype(np.float32), np.array(peaks, np.int64))

    def looks_at(self, tokens: Tokens, scores_of: Array, kinds: int, known: Known, offset: int = 0) -> list[Look]:
        """Return what is said of each window that the encoder looks at; the same arguments as `settled`."""
        return self._looks(tokens, scores_of, window_scores(scores_of[:, :kinds]), known, offset)

    def _looks(self, tokens: Tokens, scores_of: Array, quick: Array, known: Known, offset: int) -> list[Look]:
        """Return the same; `quick` are the network's scores of windows (windows, kinds)."""
        count, kinds = len(tokens.ids), quick.shape[1]
        share = self._share(tokens, offset)
        found: list[Look] = []
        close: list[tuple[int, int]] = []
        for place in proposals(quick - self._floor[:kinds], looks(count)):
            first = max(0, min(count - SPAN, place - (SPAN - WINDOW) // 2))
            inside = quick[first : first + SPAN - WINDOW + 1]
            seen = self._looked(tokens, (first, min(SPAN, count - first)), known, offset)[:kinds]
            window = None
            if self._close_too(tokens, offset):
                peak = place + int((scores_of[place : place + WINDOW, :kinds] - self._floor[:kinds]).max(1).argmax())
                window = sentences_at(self._words, tokens.ids, tokens.marks, peak)
                seen = seen + self._close * (self._looked(tokens, window, known, offset)[:kinds] - seen)
                close.append(window)
            found.append(Look(seen + share * _bounded(inside.max(0)), first + inside.argmax(0), window))
        # What an alarm in a stream rests on is shorter: the words so far do not show what is at home in the whole.
        return self._in_place(found, close, tokens) if kinds > 1 and close and count >= foreign.LEAST else found

    def _in_place(self, found: list[Look], close: list[tuple[int, int]], tokens: Tokens) -> list[Look]:
        """Return the looks with the third score: as planted orders in this document."""
        added = self._mix.foreign * foreign.shares(tokens.ids, close)
        return [
            Look(
                np.append(look.scores, look.scores[1] + self._mix.beside * look.scores[0] + more),
                np.append(look.windows, look.windows[1]),
                look.close,
            )
            for look, more in zip(found, added, strict=True)
        ]

    def _close_too(self, tokens: Tokens, offset: int) -> bool:
        return self._mix.close > 0 and offset + len(tokens.ids) > SPAN

    def _share(self, tokens: Tokens, offset: int) -> np.float32:
        return np.float32(self._mix.long_share if self._close_too(tokens, offset) else self._mix.share)

    def _looked(self, tokens: Tokens, window: tuple[int, int], known: Known, offset: int) -> Array:
        """Return what the encoder says of a window (first token, how many), asking it only once."""
        first, count = window
        if (offset + first, count) not in known:
            known[offset + first, count] = self._encoder.scores(tokens, first, count)
        return known[offset + first, count]


def sentences_at(words: Tokenizer, ids: Ids, marks: Marks, peak: int) -> tuple[int, int]:
    """Return (first token, how many) of the sentence around a token, with its neighbours while it is short.

    At least `CLOSE` tokens where the text has them, at most `WIDEST`.
    """
    low, high = max(0, peak - WIDEST), min(len(ids), peak + WIDEST + 1)
    begins = words.begins(ids[low:high], marks[low:high])
    begins[0] = low == 0
    borders = [low + int(at) for at in np.flatnonzero(begins)]
    if not borders or borders[0] > peak:
        borders.insert(0, low)
    borders.append(high)
    right = bisect_right(borders, peak)
    left, end = right - 1, len(borders) - 1
    while borders[right] - borders[left] < CLOSE and (left > 0 or right < end):
        behind = borders[right + 1] - borders[right] if right < end else math.inf
        ahead = borders[left] - borders[left - 1] if left > 0 else math.inf
        left, right = (left, right + 1) if behind <= ahead else (left - 1, right)
    first, last = borders[left], borders[right]
    if last - first > WIDEST:
        first = max(first, min(peak - WIDEST // 2, last - WIDEST))
        last = min(last, first + WIDEST)
    return first, last - first


def looks(tokens: int) -> int:
    """Return how many windows of a text of so many tokens the encoder may look at."""
    return min(_MOST, _FEWEST + tokens // _TOKENS_A_LOOK)


def proposals(above: Array, most: int) -> list[int]:
    """Return the places of at most `most` windows whose score (windows, kinds) is not below 0, far from each other."""
    left = above.max(1)
    found: list[int] = []
    while len(found) < most:
        place = int(left.argmax())
        if left[place] < 0:
            break
        found.append(place)
        left[max(0, place - WINDOW) : place + WINDOW] = -np.inf
    return found


def window_scores(scores: Array) -> Array:
    """Return the soft maximum of each window of `WINDOW` tokens: (windows, kinds) from (tokens, kinds)."""
    weight = np.exp(SHARPNESS * np.clip(scores, -15, 15).astype(np.float64))
    total = np.concatenate((np.zeros((1, weight.shape[1])), np.cumsum(weight, 0)))
    width = min(WINDOW, len(scores))
    result: Array = (np.log(np.maximum(total[width:] - total[:-width], 1e-300)) / SHARPNESS).astype(np.float32)
    return result


def _bounded(scores: Array) -> Array:
    return np.clip(scores, -15, 15)
