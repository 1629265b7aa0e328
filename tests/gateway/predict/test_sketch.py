"""A sketch: honest inputs are expected, files come back as they were, and nothing else is taken for one."""

import json

import numpy as np
import pytest
from tests.gateway.predict.traffic import honest, rows_of, scores_of, sketch, unlike

from bartizan.core.errors import BadArtifact
from bartizan.gateway.predict.sketch import WAVES, WIDTH, Sketch, doubt


def test_honest_questions_are_expected_and_a_thief_s_are_not():
    """The mean over honest ones is near nothing, whatever labels they have; the thief's is not."""
    x = honest()[1]
    far = [float((rows_of(some)[:, :WAVES].mean(axis=0) ** 2).sum()) for some in (x[:250], unlike(250))]
    assert far[0] * 5 < far[1]


def test_doubt_is_one_less_the_lead():
    """Also where there are two classes; without scores there is none."""
    np.testing.assert_allclose(doubt(np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4]]), 2), [0.5, 0.9])
    np.testing.assert_allclose(doubt(np.array([[0.9, 0.1]]), 1), [0.2], atol=1e-6)
    assert not doubt(None, 3).any()
    assert rows_of(honest()[1][:5]).shape == (5, WIDTH)
    assert scores_of(honest()[1][:5]).shape == (5, 10)


def test_a_file_comes_back_as_it_was(tmp_path):
    """Places and limits are the same; only its owner may read it."""
    path = tmp_path / "m.sketch"
    sketch().write(path)
    found = Sketch.read(path)
    assert found.limits == sketch().limits
    assert dict(found.facts) == json.loads(json.dumps(dict(sketch().facts)))
    np.testing.assert_array_equal(found.place(honest()[1][:9]), sketch().place(honest()[1][:9]))
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("name", "wrong"), [("mean", lambda one: one[:5]), ("chosen", lambda one: one + 1)])
def test_a_sketch_that_contradicts_itself_is_refused(tmp_path, name, wrong):
    """A shape that its head does not say; a feature outside the input."""
    path = tmp_path / "m.sketch"
    sketch().write(path)
    with np.load(path) as file:
        parts = {part: file[part] for part in file.files}
    with path.open("wb") as file:
        np.savez(file, **parts | {name: wrong(parts[name])})
    with pytest.raises(BadArtifact):
        Sketch.read(path)


def test_what_a_quick_learner_gets_wrong_is_hard_and_what_it_knows_is_not():
    """The stand-in's lead of the model's own answer: small where the model is alone with it."""
    made, x = sketch(), honest()[1]
    places, labels = made.place(x), scores_of(x).argmax(axis=1)
    right, wrong = made.hardness(places, labels), made.hardness(places, (labels + 1) % 10)
    assert (right < 0).mean() > 0.8
    assert (wrong > right).mean() > 0.9
