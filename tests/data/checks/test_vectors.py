"""Texts and tables become numbers that classes can be told by."""

import numpy as np
import polars as pl

from bartizan.data.checks.vectors import ranks, table_vectors, text_vectors


def test_texts_are_their_common_words():
    """The same words are the same vector, whatever their order; a rare word weighs more than a common one."""
    found = text_vectors(["a film", "film A", "a rare", ""])
    assert (found[0] == found[1]).all()
    assert np.allclose(np.linalg.norm(found, axis=1), [1, 1, 1, 0])
    assert found[2].max() > found[0].max() > found[0][found[0] > 0].min()


def test_ranks_of_numbers():
    """Equal numbers share a rank, outliers weigh no more than others, gaps are in the middle."""
    found = ranks(np.array([3.0, 1.0, 1.0, 1e9, np.nan]))
    assert found[1] == found[2] < found[0] < found[3] < 2
    assert found[4] == 0


def test_tables_of_numbers_and_categories():
    """Nested columns are left out; nothing is left of a table of those alone."""
    frame = pl.DataFrame({"age": [1, None, 3], "town": ["A", "B", None], "list": [[1], [2], [3]]})
    found = table_vectors(frame, np.random.default_rng(0))
    assert found.shape[0] == 3
    assert found.shape[1] == table_vectors(frame.drop("list"), np.random.default_rng(0)).shape[1]
    assert not np.isnan(found).any()
    assert table_vectors(frame.select("list"), np.random.default_rng(0)).shape == (3, 0)
