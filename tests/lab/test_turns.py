"""Attacks in turns win against the stand-in; their innocent twins and halves do not; innocent talk is innocent."""

import random

import pytest

from bartizan.core.messages import Role
from bartizan.lab.pliable import GOODS
from bartizan.lab.turns import FAMILIES, HELD_OUT, LEARNT, attack, from_rows, innocent, play, requests


@pytest.mark.parametrize("family", FAMILIES)
def test_most_attacks_of_a_family_win_and_not_in_their_first_turn(family):
    """Several turns are needed, or turns that were made up."""
    draw = random.Random(family)
    played = [play(attack(family, draw, number)) for number in range(20)]
    won = [one for one in played if one.won]
    assert len(won) > 10
    assert all(len(one.turns) >= 4 for one in won)


def test_an_attack_that_is_stopped_has_not_won():
    """At whatever turn."""
    one = attack("splitting", random.Random(1))
    last = len(one.said)
    for turn in range(1, last + 1):
        stopped = play(one, lambda sent, at=turn: sum(m.role is Role.USER for m in sent) < at)
        assert not stopped.won
        assert stopped.turns[-1] == (Role.USER, one.said[turn - 1])


def test_an_answer_that_is_kept_back_ends_an_attack():
    """It is judged behind the messages that it answers; refusals may leave, and help nobody."""
    one = attack("made-up history", random.Random(1))
    assert play(one).won
    seen = []
    kept = play(one, leaves=lambda messages, answer: bool(seen.append((messages[-1].role, answer))))
    assert not kept.won
    assert [role for role, _ in seen] == [Role.USER]
    assert one.goal in seen[0][1]


def test_an_unknown_family_is_refused_with_those_that_there_are():
    """A wrong name must not measure nothing."""
    with pytest.raises(KeyError, match="crescendo"):
        attack("kindness", random.Random(1))


@pytest.mark.parametrize("kind", LEARNT + HELD_OUT)
def test_an_innocent_conversation_alternates_and_ends_with_the_user_or_the_model(kind):
    """The operator first, then turn by turn; each request of it ends with the user."""
    messages = innocent(kind, random.Random(kind))
    assert [one.role for one in messages[:3]] == [Role.SYSTEM, Role.USER, Role.ASSISTANT]
    assert all(text.content and GOODS not in text.content for one in messages for text in one.texts())
    assert all(one[-1].role is Role.USER for one in requests(messages))
    assert len(list(requests(messages))) >= 2


def test_rows_become_a_conversation_of_three_to_eight_requests():
    """Of what people asked, in any order."""
    draw = random.Random(2)
    for _ in range(20):
        messages = from_rows(["How late is it?"], ["Ten."], draw)
        assert 3 <= sum(one.role is Role.USER for one in messages) <= 8
        assert messages[-1].role is Role.USER
