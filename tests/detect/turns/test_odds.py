"""Curves say how seldom a value is; the threshold follows the tail; a file that is broken is refused."""

import json
import math

import pytest

from bartizan.core.errors import BadArtifact
from bartizan.detect.turns import odds
from bartizan.detect.turns.odds import FILE, SELDOM, SIGNS, Curve, Odds, tail


def test_a_value_counts_as_many_nats_as_it_is_seldom():
    """Every tenth: 2.3; below all: nothing; rising all the way; bounded."""
    curve = Curve.drawn([float(one) for one in range(1000)])
    assert curve.of(900.0) == pytest.approx(math.log(10), abs=0.1)
    assert curve.of(-1.0) == 0
    values = [curve.of(float(one)) for one in range(0, 1100, 50)]
    assert values == sorted(values)
    assert curve.of(1e9) <= SELDOM


def test_a_sign_without_a_curve_is_as_seldom_as_can_be():
    """Nobody has seen it in innocent conversations."""
    assert Odds().seldom("echo", 1.0) == SELDOM


def test_the_threshold_is_exceeded_by_the_budget_and_rises_as_that_falls():
    """On a thousand values, and beyond what they show."""
    sums = [-math.log((one + 0.5) / 1000) for one in range(1000)]
    one_percent, less = tail(sums, 0.01), tail(sums, 0.0001)
    assert sum(one > one_percent for one in sums) <= 10
    assert less > one_percent
    assert less > max(sums)


def test_the_shipped_odds_are_read_for_each_budget_and_a_folder_without_them_gets_them(tmp_path):
    """The fewer false positives, the higher the threshold."""
    read = {name: odds.load("", name) for name in ("1%", "0.1%", "rules")}
    assert 0 < read["1%"].threshold <= read["0.1%"].threshold < math.inf
    assert all(set(one.signs) == set(SIGNS) for one in read.values())
    assert odds.load(str(tmp_path), "1%") == read["1%"]


def test_what_is_written_is_what_is_read(tmp_path):
    """Curves and threshold."""
    kept = Odds(*[Curve((1.0, 2.0), (0.5, 3.0))] * 3, dict.fromkeys(SIGNS, Curve((0.0,), (0.0,))), 7.5)
    (tmp_path / FILE).write_text(json.dumps({"odds": {"1%": odds.document(kept)}}))
    assert odds.load(str(tmp_path), "1%") == kept


@pytest.mark.parametrize("broken", ["", "{}", '{"odds": {"1%": {"turn": 3}}}'])
def test_a_broken_file_is_refused_with_the_command_that_writes_it(tmp_path, broken):
    """A threshold that is missing must not let all pass."""
    (tmp_path / FILE).write_text(broken)
    with pytest.raises(BadArtifact, match="calibrate-turns"):
        odds.load(str(tmp_path), "1%")
