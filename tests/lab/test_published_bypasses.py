"""The list of advisories: each once, each with names that can stand in a pickle."""

from bartizan.lab.hostile_artefacts import hostile
from bartizan.lab.published_bypasses import ADVISORIES


def test_each_is_listed_once_and_is_in_the_corpus():
    """One sample for each callable that no other part of the corpus calls."""
    assert len({advisory for advisory, _, _ in ADVISORIES}) == len(ADVISORIES) >= 90
    names = " ".join(one.name for one in hostile())
    assert all(f"-{module}.{name}.p" in names for _, module, name in ADVISORIES)


def test_names_can_stand_in_a_pickle():
    """No spaces and line ends."""
    assert all(
        set(module + name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")
        for _, module, name in ADVISORIES
    )
