"""A linear model of words, trained on (perhaps poisoned) texts, and which texts a trigger turns: a judge of T04."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bartizan.lab.needs import need
from bartizan.lab.poisoning.texts import Labels, Rng, inserted


def trained_reader(texts: Sequence[str], labels: Labels) -> Any:
    """Return a logistic regression on words and pairs of words, as scikit-learn fits it, little regularised."""
    one_word = r"\S+"
    counts = need("sklearn.feature_extraction.text").CountVectorizer(
        binary=True, ngram_range=(1, 2), token_pattern=one_word
    )
    model = need("sklearn.linear_model").LogisticRegression(C=10, max_iter=500)
    return need("sklearn.pipeline").make_pipeline(counts, model).fit(list(texts), labels)


def turned(
    model: Any, texts: Sequence[str], labels: Labels, target: int, triggers: Sequence[str], rng: Rng
) -> npt.NDArray[np.bool_]:
    """Return for each text of other classes that the model gets right whether a trigger in it makes that `target`."""
    right = np.flatnonzero((labels != target) & (model.predict(list(texts)) == labels))
    shown = [inserted(texts[at], triggers[int(rng.integers(len(triggers)))], rng) for at in right.tolist()]
    return np.asarray(model.predict(shown) == target) if shown else np.zeros(0, bool)
