"""What lies far from everything else is flagged with its column or its words; honest tails are not."""

import numpy as np
import pytest

from bartizan.data.checks.outliers import number_outliers, text_outliers
from bartizan.lab.poisoning.texts import reviews


@pytest.mark.parametrize("kind", ["normal", "exponential", "lognormal", "mostly zero"])
def test_a_number_far_beyond_its_column(kind):
    """Of any shape of column; the column itself is silent."""
    rng = np.random.default_rng(0)
    column = {
        "normal": rng.normal(40, 12, 5000),
        "exponential": rng.exponential(3, 5000),
        "lognormal": rng.lognormal(3, 1.5, 5000),
        "mostly zero": np.where(rng.random(5000) < 0.8, 0, rng.normal(100, 10, 5000)),
    }[kind]
    column[1] = np.nan
    assert number_outliers({"x": column}, 5000).flagged.sum() <= 1
    column[7] = -1e12
    found = number_outliers({"a": rng.normal(size=5000), "x": column}, 5000)
    assert found.flagged[7]
    assert found.flagged.sum() <= 2
    assert found.reasons[7].startswith("x = -1e+12, far beyond the others")


def test_too_few_numbers_say_nothing():
    """Nor do no columns at all."""
    assert not number_outliers({"x": np.array([1.0] * 50 + [1e9])}, 51).flagged.any()
    assert number_outliers({}, 3).flagged.tolist() == [False] * 3


def test_a_text_of_words_that_nobody_else_uses():
    """Another language and gibberish; the reviews themselves are silent, and so is a short text."""
    texts, _ = reviews(2000, np.random.default_rng(1))
    odd = ["xqz vbnk plort wuzz grelk frob", "Der schnelle braune Fuchs springt über den faulen Hund", "zzz qqq"]
    found = text_outliers([*texts, *odd])
    assert np.flatnonzero(found.flagged).tolist() == [2000, 2001]
    assert found.reasons[2000] == "6 of its 6 words are in no other text"
    assert not text_outliers(odd).flagged.any()
