"""A profile: rare values surprise, files come back as they were, and nothing else is taken for one."""

import dataclasses
import json

import numpy as np
import pytest
from tests.gateway.predict.traffic import BOUNDS, honest, profile

from bartizan.core.errors import BadArtifact
from bartizan.gateway.predict.profile import BINS, REACHES, WATCHED, Profile


def test_a_value_surprises_by_how_rare_it_is():
    """Counted by hand for one feature."""
    levels = profile().levels(honest()[0][:648])
    made = Profile.of(honest()[0][:648], BOUNDS, 1)
    feature, level = 20, 30
    near = (np.abs(levels[:, feature].astype(int) - level) <= REACHES[0]).sum()
    assert made.surprise[0, level, feature] == pytest.approx(-np.log((near + 1) / 650), rel=1e-5)
    assert (made.surprise[1] <= made.surprise[0] + 1e-6).all()
    assert made.surprise[0, BINS - 1, 0] > made.surprise[0, 0, 0]  # the corner of a digit is empty


def test_levels_end_at_the_bounds():
    """What is outside counts as the last level; NaN cannot come here, the contract reads it as 0."""
    x = np.full((2, 64), 5.0, np.float32)
    x[1] = -5
    assert set(profile().levels(x)[0]) == {BINS - 1}
    assert set(profile().levels(x)[1]) == {0}


def test_of_large_inputs_a_secret_part_is_watched():
    """Another seed watches other features; the same seed the same."""
    x = np.random.default_rng(0).uniform(0, 1, (20, 3000)).astype(np.float32)
    bounds = (np.full(3000, -np.inf, np.float32), np.full(3000, np.inf, np.float32))
    one, two, again = (Profile.of(x, bounds, seed) for seed in (1, 2, 1))
    assert len(one.chosen) == WATCHED
    assert set(one.chosen) != set(two.chosen)
    np.testing.assert_array_equal(one.chosen, again.chosen)
    assert one.levels(x).shape == (20, WATCHED)
    assert (one.chosen[1::2] - one.chosen[::2] == 1).all()  # in pairs: a step is one between neighbours


def test_a_file_comes_back_as_it_was(tmp_path):
    """Arrays, lines (none stays none) and facts; only its owner may read it."""
    path = tmp_path / "m.profile"
    made = dataclasses.replace(profile(), lines=dataclasses.replace(profile().lines, wide=np.inf))
    made.write(path)
    found = Profile.read(path)
    assert found.lines == made.lines
    assert dict(found.facts) == json.loads(json.dumps(dict(made.facts)))
    for name in ("chosen", "low", "high", "surprise", "directions", "centre", "spread", "usual"):
        np.testing.assert_array_equal(getattr(found, name), getattr(made, name))
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("how", ["shape", "feature", "lines"])
def test_a_profile_that_contradicts_itself_is_refused(tmp_path, how):
    """Not a traceback."""
    path = tmp_path / "m.profile"
    profile().write(path)
    with np.load(path) as file:
        parts = {name: file[name] for name in file.files}
    if how == "shape":
        parts["low"] = parts["low"][:5]
    elif how == "feature":
        parts["chosen"] = parts["chosen"] + 1
    else:
        head = json.loads(parts["head"].tobytes()) | {"lines": {"strange": "x"}}
        parts["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, **parts)
    with pytest.raises(BadArtifact):
        Profile.read(path)
