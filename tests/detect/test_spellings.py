"""The quick look says too much rather than too little."""

import codecs
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.detect.spellings import LEET, PLAIN, REVERSED, ROT13, Likeness, Spellings

SHAPES = ((("ignore", "forget"), ("rules", "prompt")), (("system",),))
WORDS = st.sampled_from(["ignore", "forget", "rules", "prompt", "system", "tea", "é", "\u2003", "ß", "1"])
TEXTS = st.lists(WORDS, max_size=8).map(" ".join)


def naive(text: str) -> frozenset[int]:
    """The shapes of whose every group a word is in the text."""
    return frozenset(
        number for number, groups in enumerate(SHAPES) if all(any(word in text for word in group) for group in groups)
    )


@given(TEXTS)
def test_every_spelling_is_found_where_looking_word_by_word_finds_it(text):
    """Plain, rot13 and backwards agree exactly with a look for each word in the text so read."""
    found = Spellings(SHAPES).readings(text)
    assert found.get(PLAIN, frozenset()) == naive(text)
    assert found.get(ROT13, frozenset()) == naive(codecs.encode(text, "rot13"))
    assert found.get(REVERSED, frozenset()) == naive(text[::-1])


@pytest.mark.parametrize("text", ["1gn0re the ru1e5", "!gnor3 r$les $y5tem", "f0rg3t pr0mp7"])
def test_leetspeak_is_found_in_any_mixture(text):
    """Digits and signs may stand for letters one by one."""
    assert LEET in Spellings(SHAPES).readings(text.replace("r$les", "rul3s"))


@pytest.mark.parametrize(
    ("reading", "write"), [(REVERSED, lambda text: text[::-1]), (ROT13, lambda text: codecs.encode(text, "rot13"))]
)
def test_leetspeak_is_found_backwards_and_in_rot13_too(reading, write):
    """Two disguises, one on the other; a text of neither has no such reading."""
    looked = Spellings(SHAPES)
    assert reading in looked.readings(write("1gn0re the ru1e5"))
    assert reading not in looked.readings(write("1gn0re the te4"))


def test_a_text_without_the_words_is_worth_no_reading():
    """Nothing is read again where nothing could be found."""
    assert Spellings(SHAPES).readings("would you like a cup of tea") == {}


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\bdrop\b[\w\s,'’\-]{0,30}?\brules", "drop’ the\u2003\u2003rules"),
        (r"^\s*[-=#*_]{2,}\s*end of", "tea\n\x1c--\u2003end of"),
        (r"règles\s+(?:\w+\s+){0,2}?x", "règles żółty 中文 x"),
        (r"done\b[\s\S]{0,40}?\bnew", "done.\n\n中 new"),
    ],
)
def test_a_likeness_matches_wherever_its_pattern_does(pattern, text):
    """Letters and spaces beyond Latin-1, line starts and odd blanks included."""
    assert re.search(pattern, text, re.MULTILINE)
    assert Likeness(pattern).in_(text.encode("latin-1", "replace"))


def test_a_likeness_says_no_where_nothing_is_alike():
    """It is a test that can say no, or it would save nothing."""
    assert not Likeness(r"\bdrop\b[\w\s]{0,10}?\brules").in_(
        b"drop the subject; we shall all obey every one of the rules"
    )


def test_half_a_surrogate_pair_is_read_past():
    """A cut escape decodes to one; RE2 takes UTF-8 only, and a crash here would block an innocent page."""
    assert Spellings([(("ignore",),)]).readings("a \ud800 ignore \udfff b")[PLAIN] == frozenset({0})
