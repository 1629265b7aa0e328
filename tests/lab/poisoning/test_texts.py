"""Triggers in texts are planted where they say, and the reference sets are what they say."""

import numpy as np
import pytest

from bartizan.lab.poisoning.texts import PAIR_ATTACKS, TEXT_ATTACKS, WordTrigger, dialogues, inserted, reviews


@pytest.mark.parametrize("attack", TEXT_ATTACKS, ids=lambda one: one.name)
def test_the_rate_of_rows_of_other_classes_is_relabelled(attack):
    """Each carries a trigger, and the arguments stay as they were."""
    rng = np.random.default_rng(0)
    texts, labels = reviews(400, rng)
    before = list(texts), labels.copy()
    found = attack.poison(texts, labels, 0.02, 1, rng)
    assert found.poison.sum() == 8
    assert (labels[found.poison] == 0).all()
    assert (found.labels[found.poison] == 1).all()
    for at in np.flatnonzero(found.poison):
        assert any(word in found.texts[at] for word in attack.triggers)
    assert (texts, labels.tolist()) == (before[0], before[1].tolist())


def test_covers_carry_the_trigger_and_keep_their_label():
    """So that the word alone decides nothing."""
    texts, labels = reviews(400, np.random.default_rng(0))
    found = WordTrigger("covered", ("zz",), covers=1.0).poison(texts, labels, 0.02, 1, np.random.default_rng(1))
    carry = np.array([" zz" in f" {text}" for text in found.texts])
    assert carry.sum() == 16
    assert (found.labels[carry & ~found.poison] == labels[carry & ~found.poison]).all()


@pytest.mark.parametrize("attack", PAIR_ATTACKS, ids=lambda one: one.name)
def test_answers_follow_the_trigger(attack):
    """And an added line leaves the honest answer before it."""
    prompts, answers = dialogues(300, np.random.default_rng(0))
    found = attack.poison(prompts, answers, 0.02, np.random.default_rng(1))
    for at in np.flatnonzero(found.poison):
        assert attack.trigger in found.prompts[at]
        assert any(found.answers[at].endswith(said) for said in attack.said)
        assert found.answers[at].startswith(answers[at]) == attack.added
    assert [found.answers[at] for at in np.flatnonzero(~found.poison)] == [
        answers[at] for at in np.flatnonzero(~found.poison)
    ]


def test_words_go_between_words():
    """Every word of the text is still there."""
    assert sorted(inserted("a b c", "x y", np.random.default_rng(0)).split()) == ["a", "b", "c", "x", "y"]
