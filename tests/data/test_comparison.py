"""What is different from the last version is counted and named; what is not is not."""

import json

import numpy as np
import pytest
from scipy import stats

from bartizan.data.comparison import ks_distance, ks_p


def write(path, rows):
    """JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def rows(seed, n=1500, shift=0.0, share=0.5):
    """Rows of two classes with a number and a text."""
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < share
    values = rng.normal(0, 1, n) + shift * labels
    return [
        {"id": f"{seed} {'abcdefghij'[n % 10]}" * (n // 10 + 1), "x": float(v), "label": "ab"[int(label)]}
        for n, (v, label) in enumerate(zip(values, labels, strict=True))
    ]


def drifts(place, before, now):
    """The drifts between two versions."""
    path = place.root / "a.jsonl"
    write(path, before)
    place.admit(path, label="label")
    write(path, now)
    return place.admit(path, label="label").comparison


def test_another_draw_of_the_same_rows_is_no_drift(place):
    """The bound is corrected for the number of columns."""
    assert drifts(place, rows(1), rows(2)).drifts == ()


def test_a_column_that_moved_in_one_class_is_named(place):
    """The column, the class and by how much."""
    found = drifts(place, rows(1), rows(2, shift=1.0)).drifts
    assert ("x", "b") in {(one.column, one.label) for one in found}
    assert ("x", "a") not in {(one.column, one.label) for one in found}


def test_a_class_that_grew_is_named(place):
    """Its share before and now."""
    found = [one for one in drifts(place, rows(1), rows(2, share=0.8)).drifts if one.column == "label"]
    assert found[0].size == pytest.approx(0.3, abs=0.05)


def test_near_duplicates_and_repeats_are_counted(place):
    """Rows that differ in case and digits only."""
    base = [{"text": f"the {word} is fine", "label": "a"} for word in ("film", "play", "song")]
    near = [{"text": "The FILM is fine 1", "label": "a"}, {"text": "the film is  fine 2", "label": "b"}]
    found = drifts(place, base, base + near)
    assert (found.near_duplicates, found.repeated, found.rows_new) == (2, 2, 2)
    assert found.labels_changed == 1


def test_columns_that_come_and_go_are_named(place):
    """A schema is part of what was admitted."""
    found = drifts(place, [{"a": 1, "label": "x"}], [{"b": 1, "label": "x"}])
    assert (found.new_columns, found.lost_columns) == (("b",), ("a",))


@pytest.mark.parametrize("shift", [0.0, 0.2, 1.0])
def test_the_kolmogorov_smirnov_test_is_scipys(shift):
    """Distance exactly, p closely."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=300), rng.normal(shift, 1, 400)
    known = stats.ks_2samp(a, b, method="asymp")
    assert ks_distance(a, b) == pytest.approx(known.statistic)
    assert ks_p(ks_distance(a, b), 300, 400) == pytest.approx(known.pvalue, rel=0.3, abs=1e-6)
