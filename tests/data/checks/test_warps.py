"""Rows that one warp made agree, whichever class they come from; honest rows and the opposite warp do not."""

import numpy as np
import pytest

from bartizan.data.checks.content import Votes
from bartizan.data.checks.warps import Warps, agreement, displaced, smoothed, tents
from bartizan.lab.poisoning.pictures import warped

CLASSES, SIDE = 4, 20


def bars(seed, each=60):
    """Pictures of wobbly gratings, each class at its own angle, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(CLASSES), each)
    y, x = np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij")
    angle = np.pi * labels / CLASSES + rng.normal(0, 0.05, len(labels))
    phase = rng.normal(0, 0.3, len(labels))
    wave = np.cos(angle)[:, None, None] * x + np.sin(angle)[:, None, None] * y
    plain = 0.5 + 0.4 * np.sin(0.9 * wave + phase[:, None, None]) + rng.normal(0, 0.02, wave.shape)
    return np.clip(255 * plain, 0, 255).astype(np.uint8)[..., None], labels


def field(seed):
    """A smooth displacement of about a pixel."""
    coarse = np.random.default_rng(seed).uniform(-1, 1, (50, 1)) * 2
    return (coarse * np.tile(tents(SIDE, SIDE), (2, 1))).reshape(2, 25, SIDE, SIDE).sum(axis=1)


def suspects(bend):
    """Gratings of which 24 of class 0 are bent ones of other classes, and votes that know what they show."""
    pictures, labels = bars(3)
    moved = np.concatenate([np.flatnonzero(labels == one)[:8] for one in (1, 2, 3)])
    pictures[moved] = bend(pictures[moved])
    content, given = labels.copy(), labels.copy()
    given[moved] = 0
    margin = np.where(given == content, -1.0, 1.0)
    other = np.where(given == content, (given + 1) % CLASSES, content)
    plain = pictures[..., 0].astype(np.float32) / 255
    return Warps(plain, given), Votes(margin, other), np.ones((CLASSES, CLASSES)), moved


def test_rows_that_one_warp_made_agree_and_others_do_not():
    """The same rows, each bent in its own way or not at all, stay below the bound."""
    warps, votes, weight, moved = suspects(lambda rows: warped(rows, field(1)))
    assert warps.strengths(votes, weight).argmax() == 0
    assert warps.strengths(votes, weight)[0] >= 1
    shared, opposite = warps.evidence(votes, weight, 0)
    assert np.median(shared[moved]) > 1
    assert np.median(shared[moved]) > np.quantile(np.delete(shared, moved), 0.9)
    assert opposite[moved].max() < 0
    each = iter(range(100))
    for bend in (np.copy, lambda rows: np.concatenate([warped(row[None], field(next(each))) for row in rows])):
        warps, votes, weight, _ = suspects(bend)
        assert warps.strengths(votes, weight).max() < 0.8


def test_without_suspects_there_is_nothing_to_say():
    """Nor with fewer than four."""
    warps, votes, weight, moved = suspects(lambda rows: warped(rows, field(1)))
    margin = np.full_like(votes.margin, -1.0)
    margin[moved[:3]] = 1.0
    assert not warps.strengths(Votes(margin, votes.other), weight).any()
    shared, opposite = warps.evidence(Votes(margin, votes.other), weight, 0)
    assert not shared.any()
    assert not opposite.any()


def test_a_displacement_is_read_as_it_was():
    """Smooth pictures moved by half a pixel to the right, read on the grid."""
    y, x = np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij")
    laid = (np.sin(0.5 * x) + np.cos(0.4 * y))[None]
    moved = (np.sin(0.5 * (x + 0.5)) + np.cos(0.4 * y))[None]
    down, along = displaced(moved, laid, tents(SIDE, SIDE)).reshape(2, 25)
    assert along.mean() == pytest.approx(0.5, abs=0.1)
    assert down.mean() == pytest.approx(0, abs=0.1)


def test_agreement_is_what_a_pairwise_sum_says():
    """Against the sum written out; rows that know nothing of each other come out near 0."""
    rng = np.random.default_rng(0)
    fields, weights = rng.normal(0, 1, (30, 10)), rng.uniform(0.5, 1, 30)
    above = below = 0.0
    for one in range(30):
        for two in range(30):
            if one != two:
                pair = weights[one] * weights[two] * float(fields[one] @ fields[two])
                above, below = above + pair, below + 2 * pair**2
    assert agreement(fields, weights) == pytest.approx(above / np.sqrt(below))
    assert abs(agreement(fields, weights)) < 3
    assert agreement(fields + 1, weights) > 5


def test_smoothing_keeps_even_pictures_and_spreads_a_point():
    """Edges are repeated, so nothing is lost there."""
    assert smoothed(np.ones((1, 6, 6), np.float32), 1.5) == pytest.approx(1)
    point = np.zeros((1, 9, 9), np.float32)
    point[0, 4, 4] = 1
    spread = smoothed(point, 0.7)
    assert spread.sum() == pytest.approx(1)
    assert spread[0, 4, 4] < 0.5
    assert spread[0, 4, 3] == pytest.approx(spread[0, 3, 4])
