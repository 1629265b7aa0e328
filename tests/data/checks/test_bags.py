"""Runs of words are counted once a row, and only within a row."""

import numpy as np
import pytest

from bartizan.data.checks.bags import bagged, runs, words


def test_words_and_marks_are_split_in_lower_case():
    """Marks stand alone."""
    assert words("Don't STOP") == ["don", "'", "t", "stop"]
    assert words("") == []


def test_runs_are_those_of_a_naive_count():
    """For random texts over a small vocabulary."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(list("abc"), rng.integers(0, 9))) for _ in range(60)]
    found = runs(texts, 3)
    naive: dict[str, set[int]] = {}
    for row, text in enumerate(texts):
        split = text.split()
        for length in range(1, 5):
            for at in range(len(split) - length + 1):
                naive.setdefault(" ".join(split[at : at + length]), set()).add(row)
    expected = {run: rows for run, rows in naive.items() if len(rows) >= 3}
    got = {found.name(one): set(found.runs.rows[found.runs.tokens == one].tolist()) for one in range(found.runs.count)}
    assert got == expected


def test_entries_of_chosen_rows_are_found():
    """In the order of the rows asked for, empty rows included."""
    bags = bagged(np.array([0, 0, 2, 2, 2]), np.array([1, 1, 0, 3, 3]), 4, 4)
    places, entries = bags.of(np.array([2, 1, 0]))
    assert places.tolist() == [0, 0, 2]
    assert bags.tokens[entries].tolist() == [0, 3, 1]


@pytest.mark.parametrize("texts", [[], [""], ["", "one"]])
def test_few_words_are_no_error(texts):
    """Nothing is shared."""
    assert runs(texts, 2).runs.count == 0
