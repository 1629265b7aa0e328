"""A sentence is found again word by word; the count of questions is kept; nothing is found in noise."""

import numpy as np
from tests.lab.inversion.word_sums import embed

from bartizan.lab.inversion.notes import notes
from bartizan.lab.inversion.sentences import Corrector
from bartizan.lab.inversion.words import content, learn, overlap
from bartizan.lab.targets.encoders import Encoder, unit

OWN = [note.text for note in notes(400, 1)]


def corrector(encoder):
    """Return an attacker who owns four hundred notes."""
    mine = unit(embed(OWN))
    return Corrector(encoder, learn(mine, OWN, seed=0), OWN, mine)


def test_edits_come_nearer_than_the_nearest_own_text_and_share_its_words():
    """Within the questions that are allowed."""
    encoder, stolen = Encoder("sums", embed), [note.text for note in notes(6, 2)]
    mine, targets = unit(embed(OWN)), unit(embed(stolen))
    attacker, met = corrector(encoder), []
    for text, target in zip(stolen, targets, strict=True):
        before = encoder.asked
        found = attacker.rebuild(target, 150)
        assert found.questions == encoder.asked - before <= 150
        assert found.cosine > (mine @ target).max() + 0.05
        met.append(overlap(content(found.text), content(text)).f1)
    assert np.mean(met) > 0.6


def test_it_gives_up_where_nothing_comes_nearer_and_an_own_text_costs_nothing():
    """A vector that an own text has is found without a question that helped."""
    encoder = Encoder("sums", embed)
    target = unit(embed(OWN[:1]))[0]
    found = corrector(encoder).rebuild(target, 1000)
    assert found.cosine > 0.9999
    assert content(found.text) == content(OWN[0])
    assert found.questions < 300
