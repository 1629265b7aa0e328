"""Rows that share a local pattern are found though others carry it too; honest variety and marks of all are not."""

import numpy as np
import pytest

from bartizan.data.checks.carriers import CLEAR, WIDE, ending_together, gap, trigger_carriers


def pictures(seed, rows=800, classes=8):
    """Smooth blobs, one place for each class, brightness and place vary; the border stays dark."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows)
    down, along = np.mgrid[:16, :16]
    centres = rng.uniform(5, 10, (classes, 2))[labels] + rng.normal(0, 0.7, (rows, 2))
    distances = (down - centres[:, 0, None, None]) ** 2 + (along - centres[:, 1, None, None]) ** 2
    return (rng.uniform(0.5, 1, (rows, 1, 1)) * np.exp(-distances / 8)).astype(np.float32), labels, rng


def marked(plain, rows):
    """Brighten the same six pixels of a corner."""
    plain[rows, 1:3, 1:4] += 0.3


@pytest.mark.parametrize("covers", [0, 12])
def test_rows_of_a_class_that_carry_a_mark_are_flagged_and_covers_are_not(covers):
    """Twelve rows called 2, and as many others with the mark and their own label."""
    plain, labels, rng = pictures(1)
    order = rng.permutation(np.flatnonzero(labels != 2))
    poison, cover = order[:12], order[12 : 12 + covers]
    labels[poison] = 2
    marked(plain, np.concatenate([poison, cover]))
    found = trigger_carriers(plain, labels)
    assert sorted(np.flatnonzero(found.flagged)) == sorted(poison)
    assert len(found.alarms) == 1
    assert "carries a pattern" in found.reasons[int(poison[0])]


def test_marks_in_several_places_are_one_trigger():
    """Each row carries one of two marks; a few carry both."""
    plain, labels, rng = pictures(2)
    poison = rng.permutation(np.flatnonzero(labels != 0))[:24]
    labels[poison] = 0
    marked(plain, poison[:16])
    plain[poison[8:], -3:-1, -4:-1] += 0.3
    assert sorted(np.flatnonzero(trigger_carriers(plain, labels).flagged)) == sorted(poison)


def test_a_mark_that_rows_of_all_classes_carry_is_no_trigger():
    """A logo of the camera."""
    plain, labels, rng = pictures(3)
    marked(plain, rng.permutation(len(labels))[:40])
    assert trigger_carriers(plain, labels).alarms == ()


def test_honest_rows_raise_no_alarm():
    """Nor does one odd row, nor three."""
    for seed in range(4):
        plain, labels, _ = pictures(seed)
        marked(plain, np.flatnonzero(labels == 1)[: seed % 4])
        assert trigger_carriers(plain, labels).alarms == ()


def test_a_gap_counts_what_lies_beyond_it():
    """More rows beyond make it less likely by chance; a long tail has none that is clear."""
    rng = np.random.default_rng(0)
    bulk = rng.normal(0, 1, 1000)
    few, many = (gap(np.concatenate([bulk, rng.normal(20, 1, count)])) for count in (5, 20))
    assert few[0] < many[0]
    assert many[0] > CLEAR
    assert many[1] > WIDE
    assert 4 < many[2] < 19
    assert gap(rng.standard_t(2, 2000))[0] < CLEAR
    assert gap(np.ones(50))[1] == 0


def test_a_mark_that_many_rows_carry_is_found_among_longer_honest_rows():
    """Two in five honest rows are longer than any that carries it."""
    rng = np.random.default_rng(5)
    rows = rng.normal(0, 0.2, (1000, 20))
    rows[:400, 1:] *= 20
    rows[900:, 0] += 5
    found = max(ending_together(rows), key=lambda one: min(one.clear / CLEAR, one.wide / WIDE))
    assert found.rows.tolist() == list(range(900, 1000))
    assert min(found.clear / CLEAR, found.wide / WIDE) > 1


def faintly_marked(seed):
    """Return pictures, labels and twenty rows with a mark whose gap is not clear by itself."""
    plain, labels, rng = pictures(seed)
    rows = rng.permutation(np.flatnonzero(labels != 2))[:20]
    plain[rows, 1:3, 1:4] += 0.06
    return plain + np.random.default_rng(0).normal(0, 0.01, plain.shape).astype(np.float32), labels, rows


def among(rows):
    """Return voters that doubt these rows."""
    return lambda unseen: np.isin(np.arange(len(unseen)), rows)


def test_rows_whose_content_says_another_class_make_a_faint_mark_count():
    """Twelve of them are called 2."""
    plain, labels, rows = faintly_marked(6)
    labels[rows[:12]] = 2
    assert trigger_carriers(plain, labels).alarms == ()
    found = trigger_carriers(plain, labels, among(rows[:12]))
    assert sorted(np.flatnonzero(found.flagged)) == sorted(rows[:12])


def test_a_faint_mark_that_makes_rows_of_all_classes_doubtful_is_no_trigger():
    """A logo that hides what is below it."""
    plain, labels, rows = faintly_marked(6)
    assert trigger_carriers(plain, labels, among(rows)).alarms == ()
