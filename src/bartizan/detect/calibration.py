"""Thresholds for a budget of false positives, chosen on innocent texts that training never saw.

Every source weighs the same, and sources of which training saw nothing must keep the budget among themselves. A long
text errs when one of its pages does, so its pages must err more seldom than any number of them that could be judged
shows: above a high score the excess of clean pages falls off exponentially (peaks over a threshold, Pickands 1975), and
that line is followed to the length. No threshold is lower than for a shorter text, but that of orders foreign to their
document: in a longer one they stand out more. Orders have two thresholds in a long document, either of which blocks:
both are raised by as much as they need to keep the budget together.
"""

import math
import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bartizan.core.errors import BadArtifact
from bartizan.detect.cascade import Cascade, Known, window_scores
from bartizan.detect.classifier import readable
from bartizan.detect.encoder import SPAN
from bartizan.detect.foreign import LEAST
from bartizan.detect.network import Network
from bartizan.detect.tokens import Tokenizer, Tokens

BUDGETS: Mapping[str, float] = {"1%": 0.005, "0.1%": 0.0005}
"""By name, what is aimed at: half, because other people's texts differ more from ours than ours from each other."""
LENGTHS = (LEAST, 16_000, 262_144)
"""Tokens of the long texts that have thresholds of their own."""
PAGE, PAGES = 8_000, 160
"""Characters of a clean page, and how many of documents are judged, and as many of texts of any kind."""
_SHORT = 400
"""Characters of a row that count as a short text: of documents there are few short ones."""
_NOBODY = 0.0
"""The threshold where there is no text to choose it on."""
_PEAKS = 0.1
"""Share of the pages whose scores count as peaks."""
_TOKENS_A_PEAK = (120_000, 80_000, 60_000, 40_000, 27_000)
"""Of clean documents, for one peak among the scores of their windows: five guesses at where the tail begins."""
_NEVER = 99.0
"""The threshold of orders foreign to their document where there is no document to choose it on."""
DOCUMENTS = ("gpteacher_out", "bipia_ctx", "code", "owasp", "patt", "tldr", "catalogue", "docs", "user docs")
"""Sources whose texts are documents: only there is an order out of place."""
_FAMILIES = ("catalogue", "user docs")
"""Sources of one kind that weigh together as one: many languages, many manuals."""
UNCLEAN = ("patt", "fabric", "skills", "cursorrules", "gpts_sysprompts", "hackat", "sentinel", "coconot")
"""Sources in which some rows give orders to an assistant or show real attacks: no clean page is made of them."""

Array = NDArray[np.float32]
MANY = 150
"""Rows of a source that are judged: it weighs the same however many it has."""
FEW = 50
"""A source of fewer rows weighs less than the others: one odd row of it would decide alone."""
Row = tuple[str, str]
"""A text and its source."""


def worst(cascade: Cascade, words: Tokenizer, text: str) -> tuple[float, float, int]:
    """Return the worst window's log odds (attack, planted) and how many tokens the text has."""
    tokens = words.read(readable(text))
    if not len(tokens.ids):
        return (-30.0, -30.0, 0)
    attack, planted = cascade.worst(tokens).scores[:2]
    return float(attack), float(planted), len(tokens.ids)


def floors(network: Network, words: Tokenizer, rows: Sequence[Row], asked: float) -> tuple[float, float]:
    """Return the scores of the network (attack, planted) that a share `asked` of the innocent texts exceeds."""
    seen = []
    for text, source in rows:
        tokens = words.read(readable(text))
        if len(tokens.ids):
            seen.append((source, window_scores(network.scores(tokens)).max(0)))
    if not seen:
        raise BadArtifact(
            "0 innocent texts are held out: expected some to choose thresholds on, rows of label 0 of several sources",
            hint="Every source of DATA gives some of its rows; add sources, or rows to those that are there.",
        )
    attack = _balanced([(source, float(scores[0])) for source, scores in seen], asked)
    in_documents = [(source, float(scores[1])) for source, scores in seen if source.startswith(DOCUMENTS)]
    return attack, _balanced(in_documents, asked) if in_documents else attack


def thresholds(
    cascade: Cascade,
    words: Tokenizer,
    rows: Sequence[Row],
    strangers: Collection[str],
    seed: int,
    manuals: Sequence[str] = (),
) -> dict[str, dict[str, list[float]]]:
    """Return for each budget the thresholds at each number of `tokens`, as the card holds them.

    `attack`, `planted`, and `foreign` for planted orders foreign to their document.
    `strangers` are the sources of which training saw no row at all; `manuals` are clean documents beyond the rows, for
    long texts alone.
    """
    some = _some(rows, seed)
    begin = [(source, worst(cascade, words, text[:_SHORT])) for text, source in some]
    seen = [(source, worst(cascade, words, text)) for text, source in some]
    draw = random.Random(seed)
    clean = [(text, source) for text, source in rows if not source.startswith(UNCLEAN)]
    documents = [text for text, source in clean if source.startswith(DOCUMENTS)] or [text for text, _ in rows]
    anything = [text for text, _ in clean] or documents
    paper, mixed = (
        [worst(cascade, words, one) for one in _pages(texts, draw)] for texts in (manuals or documents, anything)
    )
    looks, read = _looks(cascade, words, manuals or documents, draw)
    found: dict[str, dict[str, list[float]]] = {}
    for name, budget in BUDGETS.items():
        short = _both([(source, one) for source, one in begin if one[2] <= SPAN], strangers, budget)
        long = _both([(source, one) for source, one in seen if one[2] > SPAN], strangers, budget)
        in_place = [
            _together(looks[0][:, 1], many, read, length, budget) for many, length in zip(looks, LENGTHS, strict=True)
        ]
        foreign = [round(one, 3) for _, one in in_place]
        found[name] = {
            "tokens": [SPAN, SPAN + 1, *map(float, LENGTHS)],
            "attack": [short[0], *_rising(long[0], [_line(many, 0, budget) for many in (paper, mixed)])],
            "planted": [short[1], *_rising(long[1], [[one for one, _ in in_place]])],
            "foreign": [foreign[0], foreign[0], *foreign],
        }
    return found


def _some(rows: Sequence[Row], seed: int) -> list[Row]:
    """Return at most `MANY` rows of each source, drawn with the seed."""
    by_source: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_source[row[1]].append(row)
    draw = random.Random(seed)
    return [row for _, many in sorted(by_source.items()) for row in draw.sample(many, min(MANY, len(many)))]


def _both(
    seen: Sequence[tuple[str, tuple[float, float, int]]], strangers: Collection[str], budget: float
) -> tuple[float, float]:
    """Return the thresholds (attack, planted) that keep the budget on these texts."""
    attack = _kept([(source, one[0]) for source, one in seen], strangers, budget)
    in_documents = [(source, one[1]) for source, one in seen if source.startswith(DOCUMENTS)]
    return attack, _balanced(in_documents, budget) if in_documents else attack


def _pages(texts: Sequence[str], draw: random.Random) -> list[str]:
    """Return at most `PAGES` pages, the texts one after the other: none is used twice before all are used once."""
    order = list(texts)
    draw.shuffle(order)
    whole = "\n\n".join(order)
    cuts = list(range(0, max(1, len(whole) - PAGE // 2), PAGE))
    return [whole[cut : cut + PAGE] for cut in draw.sample(cuts, min(PAGES, len(cuts)))]


def _kept(scores: Sequence[tuple[str, float]], strangers: Collection[str], budget: float) -> float:
    """Return the least threshold that keeps the budget on all sources, and on the strangers among themselves."""
    strange = [one for one in scores if one[0] in strangers]
    return max((_balanced(part, budget) for part in (scores, strange) if part), default=_NOBODY)


def _balanced(scores: Sequence[tuple[str, float]], budget: float) -> float:
    """Return the score that a share `budget` of the texts exceeds, each source weighing the same."""
    by_source: dict[str, list[float]] = defaultdict(list)
    for source, score in scores:
        by_source[next((one for one in _FAMILIES if source.startswith(one)), source)].append(score)
    pooled = np.concatenate([np.array(many) for many in by_source.values()])
    weight = np.concatenate([np.full(len(many), 1 / max(FEW, len(many))) for many in by_source.values()])
    order = np.argsort(-pooled)
    passed: NDArray[np.bool_] = np.cumsum(weight[order]) / weight.sum() > budget
    return round(float(pooled[order][int(np.argmax(passed))]), 3)


def _line(pages: Sequence[tuple[float, float, int]], kind: int, budget: float) -> list[float]:
    """Return for each of `LENGTHS` the score that a share `budget` of clean texts of that length exceeds.

    Training saw nothing of these pages, but no manual that somebody else reads is one of the few that are judged here:
    with the whole budget two sentences of one further manual blocked one in twelve of its pages of 8,000 characters.
    """
    scores = sorted((one[kind] for one in pages), reverse=True)
    tokens = float(np.median([one[2] for one in pages]))
    peaks = max(2, int(_PEAKS * len(scores)))
    base = scores[min(peaks, len(scores) - 1)]
    excess = float(np.mean(scores[:peaks])) - base
    share = peaks / len(scores)
    chances = [1 - (1 - budget) ** min(1.0, tokens / length) for length in LENGTHS]
    return [base + excess * math.log(max(1.0, share / chance)) for chance in chances]


def _looks(cascade: Cascade, words: Tokenizer, texts: Sequence[str], draw: random.Random) -> tuple[list[Array], int]:
    """Return for each of `LENGTHS` the scores (sentences, 3) of looks at documents so long, and how many tokens.

    The documents are the texts one after the other, cut anew for each length: the encoder answers once for all. A
    sentence that they repeat errs once, however often it stands there.
    """
    order = list(texts)
    draw.shuffle(order)
    tokens = words.read(readable("\n\n".join(order)))
    count = len(tokens.ids)
    scores = cascade.network.scores(tokens) if count else np.empty((0, 2), np.float32)
    known: Known = {}
    found = []
    for length in LENGTHS:
        seen: dict[bytes, Array] = {}
        for first in range(0, count, length):
            cut = slice(first, first + length)
            part = Tokens(tokens.ids[cut], tokens.marks[cut], tokens.starts[cut], tokens.ends[cut])
            for look in cascade.looks_at(part, scores[cut], 2, known, first):
                if look.close is not None and len(look.scores) == 3:
                    at, size = look.close
                    sentence = part.ids[at : at + size].tobytes()
                    seen[sentence] = np.maximum(look.scores, seen.get(sentence, look.scores))
        found.append(np.array([*seen.values()], np.float32).reshape(-1, 3))
    return found, count


def _together(alone: NDArray[np.float32], looks: Array, tokens: int, length: int, budget: float) -> tuple[float, float]:
    """Return the thresholds of planted orders, and of those foreign to their document, in texts of one length.

    Each alone would keep the budget; both are raised by the same until they keep it together. `alone` are the scores
    as planted orders in short documents, where the encoder looks at most windows for their number.
    """
    planted, foreign = _tail(alone, tokens, length, budget), _tail(looks[:, 2], tokens, length, budget)
    either = np.maximum(looks[:, 1] - planted, looks[:, 2] - foreign)
    more = max(0.0, _tail(either, tokens, length, budget)) if len(looks) > 1 else 0.0
    return planted + more, foreign + more


def _tail(scores: NDArray[np.float32], tokens: int, length: int, budget: float) -> float:
    """Return the score that a window exceeds in a share `budget` of the clean texts of a length, in tokens.

    From the scores of all windows worth a look in `tokens` tokens of clean text, by the peaks as in `_line`: the mean
    of what different numbers of them say.
    """
    if len(scores) < 2:
        return _NEVER
    highest = np.sort(scores.astype(np.float64))[::-1]
    found = []
    for each in _TOKENS_A_PEAK:
        peaks = min(max(2, tokens // each), len(scores) - 1)
        base = float(highest[peaks])
        expected = peaks / tokens * length
        excess = float(highest[:peaks].mean()) - base
        found.append(base + excess * math.log(max(1.0, expected / -math.log1p(-budget))))
    return sum(found) / len(found)


def _rising(threshold: float, lines: Sequence[Sequence[float]]) -> list[float]:
    """Return the threshold of short texts and one for each length: the highest line, and never falling."""
    found = [threshold]
    for needed in zip(*lines, strict=True):
        found.append(max(found[-1], round(max(needed), 3)))
    return found
