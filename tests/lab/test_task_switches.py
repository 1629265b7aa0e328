"""A second task behind the data of a first one, and the same parts where they belong."""

from dataclasses import replace

from bartizan.lab.task_switches import Parts, switches

PARTS = Parts(
    tasks=[("Count the words of the text.", "Four birds sit here."), ("Name the river.", "It runs through Vienna.")],
    requests=["Write a song about gardens.", "Explain what a lock is.", "Draw up a menu for six guests."],
    answers=["There are four of them.", "The Danube."],
    prose=["The mill stands on a hill. It grinds rye and wheat. Visitors come on Sundays.", "Rain fell all night."],
)


def _second_wishes(text: str) -> int:
    return sum(one in text for one in PARTS.requests)


def test_an_attack_asks_for_something_else_behind_what_was_handed_over():
    """Half of them with a request that users make alone; no attack begins with it."""
    attacks = [bad for bad, _ in switches(PARTS, 200, 1)]
    asked = [one for one in attacks if _second_wishes(one)]
    assert len(asked) > 60
    assert not any(one.startswith(tuple(PARTS.requests)) for one in asked)


def test_the_innocent_ones_hold_the_same_parts():
    """Lists of requests and requests as data among them: no single part gives a label away."""
    innocent = [good for _, good in switches(PARTS, 200, 1)]
    assert sum(_second_wishes(one) > 0 for one in innocent) > 60
    assert sum(any(answer in one for answer in PARTS.answers) for one in innocent) > 40


def test_the_same_seed_gives_the_same_pairs_and_a_missing_part_gives_none():
    """Another seed gives others."""
    assert list(switches(PARTS, 9, 1)) == list(switches(PARTS, 9, 1)) != list(switches(PARTS, 9, 2))
    assert list(switches(replace(PARTS, answers=[]), 9, 1)) == []
