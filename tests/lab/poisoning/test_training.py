"""A planted backdoor works on the model that was trained on it, and not on the one that was not."""

import numpy as np
from sklearn.datasets import load_digits

from bartizan.lab.poisoning.pictures import BadNets
from bartizan.lab.poisoning.training import answers, backdoor_hits, trained


def test_the_trigger_works_only_when_it_was_learned():
    """The judge fails on the clean model."""
    digits = load_digits()
    pictures, labels = (digits.images * 15.9).astype(np.uint8)[..., None], digits.target.astype(np.int64)
    planted = BadNets().poison(pictures[:1200], labels[:1200], 0.05, 0, np.random.default_rng(0))
    triggered = planted.trigger(pictures[1200:])
    clean = trained(pictures[:1200], labels[:1200], 10, seed=0, epochs=12)
    bad = trained(planted.pictures, planted.labels, 10, seed=0, epochs=12)
    assert (answers(clean, pictures[1200:]) == labels[1200:]).mean() > 0.85
    assert backdoor_hits(bad, triggered, labels[1200:], 0).mean() > 0.6
    assert backdoor_hits(clean, triggered, labels[1200:], 0).mean() < 0.1
    assert len(backdoor_hits(bad, triggered, labels[1200:], 0, (3,))) == (labels[1200:] == 3).sum()
