"""Texts stay what a reader takes them for: the judge looks at the bound itself, and a search cannot cheat it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lab.evasion.reviews import model, reviews

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.texts import TextBound, WordSearch, by_word, is_slip, judge_texts

BOUND = TextBound(0.3)


@pytest.mark.parametrize(
    ("word", "other", "same"),
    [
        ("terrible", "terirble", True),
        ("terrible", "terible", True),
        ("terrible", "terrrible", True),
        ("terrible", "tertible", True),
        ("terrible", "terryble!", False),
        ("terrible", "errible", False),
        ("terrible", "trerible", True),
        ("terrible", "treribel", False),
        ("terrible", "teirrbele", False),
        ("terrible", "terrible", False),
        ("bad", "bd", False),
        ("terrible", "", False),
    ],
)
def test_a_slip_is_one_inside_a_word(word, other, same):
    """Swapped, dropped, doubled, replaced; never at an end, never in a short word, never two."""
    assert is_slip(word, other) is same


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("The food was terible, my friend thought so as well and left.", True),
        ("The food was awful, my friend thought so as well and left.", True),
        ("The food wаs terrible, my friend thought so as well and left.", True),
        ("The food was great, my friend thought so as well and left.", False),
        ("The food was not terrible, my friend thought so as well and left.", False),
        ("The food was terrible my friend thought so as well and left.", False),
        ("Teh food was terible, my frend thoght so as wel and left.", False),
        ("The food was terible, my frend thought so as wlel and lfet.", False),
        ("", False),
    ],
)
def test_what_is_outside_the_bound_counts_as_unchanged(text, allowed):
    """Another meaning, an added word, a lost comma, too many words."""
    assert BOUND.allows("The food was terrible, my friend thought so as well and left.", text) is allowed


@given(st.text(max_size=80), st.integers(0, 1000))
def test_every_choice_is_within_the_bound(text, number):
    """Whatever the text is; an unchanged text is allowed too."""
    assert BOUND.allows(text, text)
    for word in text.split()[:3]:
        if word.isalnum():
            choices = list(BOUND.choices(word))
            if choices:
                assert BOUND.allows(word, choices[number % len(choices)])


def test_the_search_turns_a_model_and_more_questions_turn_no_less():
    """A proposal that does nothing wins nothing; one that rewrites the text wins nothing either."""
    texts, y = reviews(300)
    test, truth = reviews(60, seed=1)
    plain = model(texts, y)
    assert judge_texts(plain, BOUND, test, truth, test, 0).value == 0
    opposite = [test[int(np.flatnonzero(truth != label)[0])] for label in truth]
    assert judge_texts(plain, BOUND, test, truth, opposite, 0).value == 0
    shares = []
    for queries in (10, 200):
        search = WordSearch(queries)
        before = plain.queries
        proposal = search.perturb(plain, BOUND, test, truth)
        assert plain.queries - before <= queries * len(test)
        assert all(BOUND.allows(old, new) for old, new in zip(test, proposal, strict=True))
        shares.append(judge_texts(plain, BOUND, test, truth, proposal, 0).value)
    assert shares[0] <= shares[1]
    assert shares[1] > 0.5


def test_a_word_in_two_groups_and_a_bound_of_nothing_are_refused():
    """Then the groups would be one."""
    with pytest.raises(BadSettings, match="two groups"):
        by_word([frozenset(("a", "b")), frozenset(("b", "c"))])
    with pytest.raises(BadSettings, match="share of words"):
        TextBound(0)
