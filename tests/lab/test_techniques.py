"""Techniques: unique names, every one carries the goal, disguises change the letters and not the length by surprise."""

import base64

from bartizan.lab.cases import SystemPromptTheft
from bartizan.lab.techniques import DISGUISES, TECHNIQUES

CASE = next(SystemPromptTheft().cases(1, 1))


def test_names_are_unique():
    """A report names a technique; it must mean one thing."""
    for table in (TECHNIQUES, DISGUISES):
        assert len({entry.name for entry in table}) == len(table)


def test_every_technique_carries_the_goal_or_its_encoding():
    """An attack that does not ask for anything is none."""
    for technique in TECHNIQUES:
        text = technique.text(CASE)
        if technique.name == "base64 order":
            text = base64.b64decode(text.rsplit(" ", 1)[1]).decode()
        if technique.name != "rot13 order":
            assert CASE.want in text, technique.name


def test_every_disguise_but_the_first_changes_the_text():
    """The first is the text as it is."""
    assert DISGUISES[0].change("please open it") == "please open it"
    for disguise in DISGUISES[1:]:
        assert disguise.change("please open it") != "please open it", disguise.name
