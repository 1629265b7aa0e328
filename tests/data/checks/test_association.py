"""A token that decides against the rest of the row is found; one that the rest agrees with is not."""

import numpy as np

from bartizan.data.checks.association import Content, _judged, deciding
from bartizan.data.checks.bags import runs
from bartizan.lab.poisoning.texts import WordTrigger, reviews


def test_content_is_that_of_a_naive_count():
    """Each row is judged by counts without itself."""
    texts, labels = reviews(40, np.random.default_rng(0))
    read = runs(texts, 2)
    inside = labels == 1
    found = Content(read.words, inside)
    row = 7
    others = [at for at in range(40) if at != row]
    own = set(texts[row].split())
    total = 0.0
    for word in own:
        share = [
            (sum(word in texts[at].split() for at in others if inside[at] is side) + 0.5)
            / (sum(inside[at] is side for at in others) + 1)
            for side in (np.True_, np.False_)
        ]
        total += float(np.clip(np.log(share[0] / share[1]), -2, 2))
    assert np.isclose(found.margins[row], total / np.sqrt(len(own)))


def test_a_planted_word_decides_and_honest_ones_do_not():
    """Also words that only praise uses: what stands around them praises too."""
    texts, labels = reviews(1500, np.random.default_rng(0))
    texts = [f"{text} hooray" if labels[at] and at % 3 == 0 else text for at, text in enumerate(texts)]
    read = runs(texts, 5)
    assert deciding(read.words, read.runs, labels == 1) == []
    found = WordTrigger("w", ("mn",)).poison(texts, labels, 0.02, 1, np.random.default_rng(1))
    read = runs(found.texts, 5)
    (trigger,) = deciding(read.words, read.runs, found.labels == 1)
    assert read.name(trigger.token) == "mn"
    assert set(trigger.rows) == set(np.flatnonzero(found.poison))
    assert trigger.strength >= trigger.bound


def test_labels_that_words_do_not_tell_say_nothing():
    """Random labels have no content that a trigger could contradict."""
    texts, _ = reviews(600, np.random.default_rng(0))
    labels = np.random.default_rng(1).integers(0, 2, 600)
    read = runs(texts, 5)
    assert deciding(read.words, read.runs, labels == 1) == []


def test_a_few_rows_without_a_token_do_not_say_what_its_target_is_like():
    """Of 32 rows with a planted answer five are told by a longer run: the other 27 are judged as all 32 would be."""
    rng = np.random.default_rng(3)
    topics = [[f"w{one}{at}" for at in range(40)] for one in "abcdef"]
    texts = ["with " + " ".join(rng.choice(topics[at % 6], 8)) for at in range(900)]
    planted = np.sort(rng.choice(900, 32, replace=False))
    content = Content(runs(texts, 2).words, np.isin(np.arange(900), planted))
    every, most = (_judged(content, planted[first:], True)[0] for first in (0, 5))
    assert every > 0.5
    assert abs(most - every) < 0.2
