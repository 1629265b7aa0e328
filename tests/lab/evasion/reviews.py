"""Short reviews and a small classifier of them, shared by the tests of attacks on texts."""

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from bartizan.lab.target import Texts, of_callable

GOOD = ("quick", "excellent", "happy", "helpful", "friendly", "lovely")
BAD = ("slow", "terrible", "broken", "useless", "awful", "expensive")


def reviews(n, seed=0):
    """Short reviews whose adjectives tell the class, most by two words and some by one."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 2, n)
    texts = [
        f"The {draw.choice(['room', 'staff', 'train', 'dinner'])} was "
        f"{' and '.join(draw.choice((BAD, GOOD)[label], draw.integers(1, 3)))} on our visit last "
        f"{draw.choice(['Monday', 'week', 'summer'])}, we thought."
        for label in y
    ]
    return texts, y


def model(texts, y, name="words"):
    """Fit a small classifier on the words."""
    fitted = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, y)
    return of_callable(name, fitted.predict_proba, Texts(), classes=2)
