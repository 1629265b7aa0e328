"""Wordings: every section of every file can be drawn from, with a seed, and leaves no trace of its grammar."""

import random

import pytest

from bartizan.lab.phrases import Wordings, wordings


@pytest.mark.parametrize("name", wordings().sections)
def test_every_section_can_be_drawn(name):
    """No section refers to one that does not exist, none is empty."""
    draw = random.Random(1)
    assert any(wordings().write(name, draw).strip() for _ in range(20))


def test_the_same_seed_gives_the_same_text():
    """Training must be repeatable."""
    first, second = (wordings().write("+override", random.Random(5)) for _ in range(2))
    assert first == second


def test_choices_nest_and_escapes_are_text():
    """Braces choose, a backslash takes a bar or a newline literally, unknown names in angles stay."""
    book = Wordings({"x": ("{a{b|b}|ab}\\|<p>\\n",)})
    assert book.write("x", random.Random(1)) == "ab|<p>\n"


def test_sections_without_end_are_refused():
    """A loop is a mistake in the file."""
    name = wordings().names("+")[0]
    with pytest.raises(ValueError, match="without end"):
        Wordings({name: (f"<{name}>",)}).write(name, random.Random(1))
