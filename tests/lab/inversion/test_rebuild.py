"""With scores the template of every class comes back; with labels from noise it does not."""

import numpy as np

from bartizan.lab.extraction.equations import Linear
from bartizan.lab.inversion.rebuild import climb, rebuild

DRAW = np.random.default_rng(4)
TEMPLATES = (DRAW.random((6, 40)) > 0.5).astype(float)
MODEL = Linear(1.5 * (TEMPLATES - TEMPLATES.mean(axis=0)).T, np.zeros(6))
OWN = DRAW.uniform(size=(100, 40))


def likeness(images):
    """Return the mean correlation with the templates."""
    return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(images, TEMPLATES, strict=True)]))


def test_climbing_raises_the_class_and_stays_in_the_box():
    """Every step helps, and no value leaves 0..1."""
    images = climb(MODEL, np.full(40, 0.5), 200)
    assert (images >= 0).all()
    assert (images <= 1).all()
    assert (MODEL.labels(images) == np.arange(6)).all()
    assert likeness(images) > 0.6


def test_scores_give_templates_away_and_labels_from_noise_do_not():
    """Forty-one questions either way."""
    asked = []

    def scores(x):
        asked.append(len(x))
        return MODEL.scores(x)

    full = {one.how: one.images for one in rebuild(scores, OWN, queries=41, seed=1)}
    only = {one.how: one.images for one in rebuild(lambda x: np.eye(6)[MODEL.labels(x)], OWN, queries=41, seed=1)}
    assert max(asked) == 41
    name = "equations, anywhere, 200 steps"
    assert likeness(full[name]) > likeness(only[name]) + 0.3
    assert full.keys() == only.keys()


def test_more_questions_than_own_images_are_made_of_them():
    """Copies with noise, inside the box."""
    made = rebuild(MODEL.scores, OWN, queries=150, seed=1)
    assert all(one.queries == 150 for one in made)
    best = next(one for one in made if one.how == "best answer, own images")
    assert (best.images >= 0).all()
