"""The cascade: the network clears, the encoder settles, the worst window decides."""

import numpy as np
import pytest

from bartizan.detect import cascade
from bartizan.detect.cascade import CLEARED, SHARPNESS, WINDOW, Cascade, Mix, looks, proposals, window_scores
from bartizan.detect.encoder import SPAN
from bartizan.detect.tokens import Tokens


class Quick:
    """A network that says of each token what its number says."""

    def scores(self, tokens):
        """Return the number of each token for both kinds."""
        return np.stack((tokens.ids, tokens.ids), 1).astype(np.float32)


class Slow:
    """An encoder that says the same of every window, and remembers where it looked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def scores(self, tokens, first=0):
        """Return the answer."""
        self.asked.append(first)
        return np.array(self.answer, np.float32)


def text(*numbers):
    """Return tokens of these numbers."""
    ids = np.array(numbers, np.int32)
    return Tokens(ids, np.zeros(len(ids), np.int8), ids, ids)


def judged(answer, numbers, floor=(0.0, 0.0), kinds=2):
    """Return the worst of a text and where the encoder looked."""
    slow = Slow(answer)
    return Cascade(Quick(), slow, Mix(floor, 0.5)).worst(text(*numbers), kinds), slow.asked


def test_what_the_network_clears_the_encoder_never_sees():
    """And its score is below that of anything the encoder has a doubt about."""
    worst, asked = judged((9.0, 9.0), [-5] * 20)
    assert asked == []
    assert worst.scores == pytest.approx(CLEARED + 0.5 * window_scores(np.full((20, 1), -5.0, np.float32))[0, 0])


def test_one_kind_above_its_floor_is_enough_to_ask():
    """The scores of both add up."""
    worst, asked = judged((2.0, -3.0), [1], floor=(5.0, 0.5))
    assert asked == [0]
    assert worst.scores == pytest.approx([2.5, -2.5])


def test_the_encoder_looks_at_the_worst_places_of_a_long_text():
    """The window lies around the place, inside the text."""
    numbers = [-9] * 1000
    numbers[500] = 4
    worst, asked = judged((1.0, 1.0), numbers)
    (first,) = asked
    assert first <= 500 < first + SPAN
    assert worst.places[0] <= 500 < worst.places[0] + WINDOW
    assert judged((1.0, 1.0), [*([-9] * 500), 4])[1] == [501 - SPAN]


def test_looks_are_bounded_and_grow_with_length():
    """A hostile text costs a bounded number of looks."""
    assert looks(10) < looks(5_000) <= looks(10**7) == 64
    assert len(judged((1.0, 1.0), [5] * 2000)[1]) == looks(2000)


def test_one_kind_may_be_asked_alone():
    """Orders of a user are no orders planted in a document."""
    worst, _ = judged((1.0, 8.0), [3] * 5, kinds=1)
    assert worst.scores.shape == worst.places.shape == (1,)


def test_proposals_are_far_from_each_other_and_not_below_the_floor():
    """The best first."""
    above = np.full((300, 1), -1.0, np.float32)
    above[[10, 20, 200]] = [[3.0], [2.0], [1.0]]
    assert proposals(above, 5) == [10, 200]
    assert proposals(above, 1) == [10]
    assert proposals(above - 4, 5) == []


def test_window_scores_are_the_soft_maximum_of_each_window():
    """Against the definition."""
    scores = np.random.default_rng(1).normal(0, 3, (200, 2)).astype(np.float32)
    naive = [
        np.log(np.exp(SHARPNESS * scores[at : at + WINDOW].astype(np.float64)).sum(0)) / SHARPNESS
        for at in range(len(scores) - WINDOW + 1)
    ]
    np.testing.assert_allclose(window_scores(scores), naive, atol=1e-4)


def test_the_soft_maximum_of_a_short_text_is_one_window():
    """Shorter than a window."""
    assert cascade.window_scores(np.zeros((3, 2), np.float32)).shape == (1, 2)
