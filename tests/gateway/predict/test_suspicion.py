"""What is done: milder first, harsher as it goes on, the same for all accounts of one search, forgotten in time."""

import numpy as np
from tests.gateway.predict.traffic import honest, profile, steps

from bartizan.core.sections.predict import PredictStep
from bartizan.gateway.predict.suspicion import Suspicions

STEPS = (PredictStep(1, "record"), PredictStep(3, "labels"), PredictStep(6, "block"))


def watch(steps_=STEPS, forget_s=3600.0):
    """A watch on digits."""
    return Suspicions(profile(), steps_, history=2000, forget_s=forget_s)


def answers(watched, inputs, caller="eve", now_s=0.0):
    """What is done about each input."""
    return [watched.see(one, caller, now_s).answer for one in inputs]


def test_the_answers_become_harsher():
    """Recorded, then labels only, then nothing; each step rises once."""
    watched = watch()
    found = [watched.see(one, "eve", 0.0) for one in steps(14)]
    said = [one.answer for one in found]
    first = said.index("record")
    assert said[first:] == ["record"] * 2 + ["labels"] * 3 + ["block"] * (len(said) - first - 5)
    assert [one.answer for one in found if one.rises] == ["record", "labels", "block"]
    assert "noticed 1 times" in found[first].why


def test_a_search_over_many_accounts_meets_the_same_answer():
    """Each account asks once; the kin are counted and named."""
    watched = watch()
    found = [watched.see(one, f"sybil{number}", 0.0) for number, one in enumerate(steps(14))]
    assert found[-1].answer == "block"
    assert len(found[-1].kin) == 4
    assert all(name.startswith("sybil") for name in found[-1].kin)
    assert answers(watched, honest()[1][50:60], "bob") == [None] * 10


def test_an_honest_caller_beside_an_attack_is_left_alone():
    """Only what looks like the attack is stopped."""
    watched = watch()
    answers(watched, steps(14))
    assert answers(watched, honest()[1][100:200], "bob") == [None] * 100
    assert answers(watched, honest()[1][200:210], "eve") == [None] * 10


def test_a_suspended_caller_gets_no_answer_to_anything_until_it_is_forgotten():
    """Not even to honest inputs; others do."""
    watched = watch((PredictStep(4, "suspend"),), forget_s=100.0)
    answers(watched, steps(14))
    assert answers(watched, honest()[1][200:203], "eve", 50.0) == ["suspend"] * 3
    assert answers(watched, honest()[1][203:206], "bob", 50.0) == [None] * 3
    assert answers(watched, honest()[1][206:209], "eve", 200.0) == [None] * 3


def test_what_was_noticed_is_forgotten():
    """After the time, the first answer comes again."""
    watched = watch(forget_s=100.0)
    answers(watched, steps(14))
    found = answers(watched, steps(14, seed=2, start=40), now_s=500.0)
    assert next(one for one in found if one) == "record"


def test_a_caller_who_asks_a_great_deal_is_excused_for_false_alarms():
    """Strange inputs at the expected rate among very many never add up; the same few at once do."""
    noise = np.random.default_rng(0).uniform(0, 1, (40, 64)).astype(np.float32)
    quiet, loud = watch(), watch()
    quiet._rate = loud._rate = 0.01  # one false alarm in a hundred, so that hundreds of inputs are enough here
    honest_ = iter(np.tile(honest()[1], (4, 1)))
    said = []
    for one in noise[:8]:
        for _ in range(100):
            quiet.see(next(honest_), "bob", 0.0)
        said.append(quiet.see(one, "bob", 0.0).answer)
    assert "block" not in said
    assert answers(loud, noise[:8])[-1] == "block"
