"""Windows for the encoder: where the network sees the attack, and the innocent ones it takes for attacks."""

import numpy as np

from bartizan.cli.detector_windows import Seen, chosen, lesson, windows
from bartizan.detect.cascade import WIDEST
from bartizan.detect.encoder import SPAN
from bartizan.detect.tokens import Tokenizer
from bartizan.lab.detector_training import Sample
from bartizan.lab.examples import UNASKED


class Quick:
    """A network that says of each token what its number says, and of planted orders the opposite."""

    def scores(self, tokens):
        """Return the scores."""
        return np.stack((tokens.ids, -tokens.ids), 1).astype(np.float32)


def sample(numbers, attack=0, planted=UNASKED):
    """Return a text of these numbers."""
    ids = np.array(numbers, np.int32)
    return Sample(ids, np.zeros(len(ids), np.int8), attack, planted)


def test_a_short_text_is_its_own_window():
    """With the higher answer as its score."""
    (one,) = windows([sample([1, 2, 3])], Quick(), 1)
    assert one.window.ids.tolist() == [1, 2, 3]
    assert one.score >= 3


def test_of_a_long_attack_the_worst_window_is_taken_for_what_it_is():
    """A planted order lies elsewhere than an attack."""
    numbers = [0] * 600
    numbers[100], numbers[400] = 9, -9
    attack, planted = windows([sample(numbers, 1), sample(numbers, UNASKED, 1)], Quick(), 1)
    assert 9 in attack.window.ids
    assert -9 not in attack.window.ids
    assert -9 in planted.window.ids
    assert 9 not in planted.window.ids
    assert len(attack.window.ids) == len(attack.window.marks) == SPAN


def test_how_hard_an_innocent_text_is_hangs_on_what_is_asked_of_it():
    """A user's wish looks like an order planted in a document; nobody asks that of it."""
    wish, page = windows([sample([-8]), sample([-8], 0, 0)], Quick(), 1)
    assert wish.score < 0 < page.score


def test_the_second_lesson_holds_the_worst_spare_texts_and_known_ones():
    """A tenth of them, and three times as many that the network knows."""
    spare = [sample([n]) for n in range(-15, 15)]
    known = [sample([500], 1) for _ in range(20)]
    learnt = lesson(known, spare, Quick(), 1)
    assert sorted(int(one.ids[0]) for one in learnt if not one.attack) == [12, 13, 14]
    assert sum(one.attack for one in learnt) == 9


def test_a_long_innocent_text_gives_several_windows():
    """What decides for it is its worst one, so the worst ones train."""
    seen = windows([sample([1, 5, 2] * 300)] * 20, Quick(), 1)
    assert 80 < len(seen) <= 120
    assert all(len(one.window.ids) == SPAN for one in seen)


def test_hard_innocent_windows_are_chosen_and_some_easy_ones():
    """Half by score among those not drawn."""
    seen = [Seen(sample([n]), float(n)) for n in range(100)] + [Seen(sample([7], 1), 1.0)] * 30
    picked = chosen(seen, 10, 20, 1)
    assert sum(one.attack for one in picked) == 10
    innocent = [int(one.ids[0]) for one in picked if not one.attack]
    assert len(innocent) == len(set(innocent)) == 20
    assert sum(number >= 80 for number in innocent) >= 9


def test_the_same_seed_chooses_the_same():
    """And another one another."""
    seen = [Seen(sample([n]), float(n % 7)) for n in range(100)]
    first, second, third = ([int(one.ids[0]) for one in chosen(seen, 0, 20, seed)] for seed in (1, 1, 2))
    assert first == second
    assert first != third


def test_a_close_look_comes_behind_its_window():
    """With the same answers; a text that is no longer than one gives none."""
    numbers = [0] * 300
    numbers[200] = 9
    wide, close = windows([sample(numbers, 1)], Quick(), 1, Tokenizer([]))
    assert len(wide.window.ids) == SPAN
    assert len(close.window.ids) <= WIDEST
    assert 9 in close.window.ids
    assert (close.window.attack, close.score) == (1, 9.0)
    assert len(windows([sample([1, 2, 3])], Quick(), 1, Tokenizer([]))) == 1


def test_a_close_look_is_no_example_of_an_attack_that_the_network_does_not_see_there():
    """The attack may stand elsewhere: the label would be wrong."""
    assert len(windows([sample([-1] * 100, 1)], Quick(), 1, Tokenizer([]))) == 1
    assert len(windows([sample([-1] * 100, 0)], Quick(), 1, Tokenizer([]))) == 2
