"""Rows that are there too often are flagged but the first; what people repeat by themselves is not."""

import numpy as np

from bartizan.data.checks.floods import record_floods, text_floods
from bartizan.lab.poisoning.texts import reviews


def test_a_flood_of_texts():
    """Written a little differently each time: case, numbers, punctuation. The first stays, the rest say where it is."""
    texts, _ = reviews(1000, np.random.default_rng(0))
    planted = [f"Visit OUR shop {at} times, it is the best in the whole town!" for at in range(12)]
    found = text_floods([*texts, *planted])
    assert np.flatnonzero(found.flagged).tolist() == list(range(1001, 1012))
    assert found.reasons[1005] == "one of 12 texts with the same letters (the first is row 1001)"
    assert found.alarms[0].startswith("12 texts with the same letters from row 1001 on")
    assert not text_floods([*texts, *planted[:7]]).flagged.any()


def test_short_answers_are_repeated_by_themselves():
    """Of many texts of one of two words each is there a hundred times; empty ones say nothing."""
    rng = np.random.default_rng(0)
    assert not text_floods([str(one) for one in rng.choice(["yes", "no", ""], 300)]).flagged.any()


def test_a_flood_of_records():
    """The same in every column; records of two columns with few values are the same by chance."""
    rng = np.random.default_rng(0)
    columns = [rng.integers(0, 50, 1000).tolist() for _ in range(6)]
    for column in columns:
        column[100:112] = [7] * 12
    found = record_floods(columns)
    assert np.flatnonzero(found.flagged).tolist() == list(range(101, 112))
    assert not record_floods([rng.integers(0, 3, 1000).tolist() for _ in range(2)]).flagged.any()
    assert record_floods([]).flagged.size == 0
