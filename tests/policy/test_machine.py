"""The invariant under attack, and the judge that must see a violation."""

import random

import pytest
from tests.policy import machine
from tests.policy.machine import EVIL, Attack, serves_the_attacker

from bartizan.policy.decide import Decision


@pytest.mark.parametrize("seed", range(3))
def test_no_step_of_the_attacker_gets_a_call_that_serves_it(seed):
    """A short run; `make bench-policy` takes 100,000 steps."""
    attack = Attack(random.Random(seed))
    for _ in range(400):
        attack.step()
    assert attack.asked > 100
    assert not attack.violations


def test_honest_calls_still_run():
    """A policy that refuses everything would pass the test above."""
    attack = Attack(random.Random(5))
    for _ in range(1500):
        attack.step()
    assert attack.ran > 3


def test_the_judge_sees_every_writing_of_the_attacker_and_nothing_in_an_honest_call():
    """Wide letters, invisible ones, names of keys."""
    assert serves_the_attacker("create_note", {"text": "\u200b".join(EVIL[0])})
    assert serves_the_attacker("create_note", {"ｅｖｉｌ．ｅｘａｍｐｌｅ．ｃｏｍ": 1})
    assert serves_the_attacker("delete_file", {"file_id": "66"})
    assert serves_the_attacker("update_password", {"password": ""})
    assert not serves_the_attacker("send_email", {"to": "ann@corp.com", "body": "the total is 7"})


def test_a_policy_that_allows_everything_is_caught(monkeypatch):
    """The machine attacks for real."""
    monkeypatch.setattr(machine, "decide", lambda call, context: Decision("c", call.tool, "allow", "x", "x"))
    attack = Attack(random.Random(1))
    for _ in range(100):
        attack.step()
    assert attack.violations
