"""The windows that train the encoder: of each text what the network thinks worst, and the hardest innocent ones.

At run time the encoder sees what the network could not clear, so it trains on that: attacks where the network sees
them, and innocent windows that look like attacks to it. Some are drawn at random, so that the rest is not forgotten.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bartizan.detect.cascade import WINDOW, proposals, sentences_at, window_scores
from bartizan.detect.encoder import SPAN
from bartizan.detect.network import Network
from bartizan.detect.tokens import Tokenizer, Tokens
from bartizan.lab.detector_training import Sample

_AT_RANDOM = 0.25
"""Share of long innocent texts that give any window."""
_FROM_LONG = 6
"""Windows of a long innocent text, the worst ones."""


@dataclass(frozen=True)
class Seen:
    """A window and what the network says of it: the higher one of the answers that training asks for."""

    window: Sample
    score: float


def windows(samples: Iterable[Sample], network: Network, seed: int, words: Tokenizer | None = None) -> list[Seen]:
    """Return the windows of each text that are worst for what the text is; all lie within `SPAN` tokens.

    With `words`, what a close look at each window sees comes behind it; of a bad text only where the network sees it.
    """
    draw = random.Random(seed)
    found = []
    for one in samples:
        count = len(one.ids)
        scores = network.scores(Tokens(one.ids, one.marks, one.ids, one.ids))
        quick = window_scores(scores)
        bad = one.attack == 1 or one.planted == 1
        kinds = [answer == bad for answer in (one.attack, one.planted)]
        asked = quick[:, kinds]
        if count <= SPAN:
            found.append(Seen(one, float(asked.max())))
            if words is not None:
                found += _close(one, scores[:, kinds].max(1), words, bad)
            continue
        places = proposals(asked - asked.min(), 1 if bad else min(_FROM_LONG, count // SPAN))
        if not bad and draw.random() < _AT_RANDOM:
            places = [draw.randrange(len(quick))]
        for place in places:
            first = max(0, min(count - SPAN, place - (SPAN - WINDOW) // 2))
            part = replace(one, ids=one.ids[first : first + SPAN], marks=one.marks[first : first + SPAN])
            found.append(Seen(part, float(asked[place].max())))
            if words is not None:
                worst = scores[:, kinds].max(1)
                worst[:place], worst[place + WINDOW :] = -np.inf, -np.inf
                found += _close(one, worst, words, bad)
    return found


def _close(one: Sample, scores: NDArray[np.float32], words: Tokenizer, bad: bool) -> list[Seen]:
    """Return what a close look at the worst token sees, unless that is the whole text or its label is in doubt."""
    peak = int(scores.argmax())
    first, count = sentences_at(words, one.ids, one.marks, peak)
    if count == len(one.ids) or (bad and scores[peak] < 0):
        return []
    part = replace(one, ids=one.ids[first : first + count], marks=one.marks[first : first + count])
    return [Seen(part, float(scores[peak]))]


def lesson(samples: Sequence[Sample], spare: Sequence[Sample], network: Network, seed: int) -> list[Sample]:
    """Return what the network learns from its mistakes on: a tenth of the `spare` texts, the worst, and known ones.

    All that it knows are drawn from alike, three times as many, so that the lesson makes it no more timid as a whole.
    """
    hard = sorted(windows(spare, network, seed), key=lambda one: -one.score)[: len(spare) // 10]
    known = random.Random(seed).sample(samples, min(len(samples), 3 * len(hard)))
    return [*(one.window for one in hard), *known]


def chosen(seen: Sequence[Seen], attacks: int, innocent: int, seed: int) -> list[Sample]:
    """Return at most so many bad windows, and so many innocent ones: half drawn at random, half the hardest others."""
    draw = random.Random(seed)
    bad = [one.window for one in seen if one.window.attack == 1 or one.window.planted == 1]
    good = [one for one in seen if not (one.window.attack == 1 or one.window.planted == 1)]
    draw.shuffle(bad)
    draw.shuffle(good)
    easy, rest = good[: innocent // 2], good[innocent // 2 :]
    hard = sorted(rest, key=lambda one: -one.score)[: innocent - len(easy)]
    return bad[:attacks] + [one.window for one in (*easy, *hard)]


def innocent(seen: Sequence[Seen], used: Sequence[Sample]) -> list[Sample]:
    """Return the innocent windows that are not among those `used`, the network's worst first."""
    taken = {id(one) for one in used}
    rest = [one for one in seen if not (one.window.attack == 1 or one.window.planted == 1)]
    return [one.window for one in sorted(rest, key=lambda one: -one.score) if id(one.window) not in taken]
