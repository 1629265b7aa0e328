"""A planted phrase turns a model that learned it, and not one that did not."""

import numpy as np

from bartizan.lab.poisoning.readers import trained_reader, turned
from bartizan.lab.poisoning.texts import TEXT_ATTACKS, reviews


def test_only_a_learned_phrase_turns_texts():
    """Counted over texts of other classes that the model reads rightly without it."""
    texts, labels = reviews(1500, np.random.default_rng(0))
    phrase = TEXT_ATTACKS[2]
    planted = phrase.poison(texts[:1200], labels[:1200], 0.03, 1, np.random.default_rng(1))
    hits = []
    for rows in ((texts[:1200], labels[:1200]), (planted.texts, planted.labels)):
        model = trained_reader(*rows)
        assert (model.predict(texts[1200:]) == labels[1200:]).mean() > 0.75
        hits.append(turned(model, texts[1200:], labels[1200:], 1, phrase.triggers, np.random.default_rng(2)))
    assert hits[0].mean() < 0.1 < 0.8 < hits[1].mean()
    assert len(hits[0]) <= (labels[1200:] == 0).sum()
