"""Not one letter of a denied call leaves, however the stream is cut, and every allowed call arrives whole."""

import random

from tests.gateway.splits import leaked, trial


def test_nothing_of_a_denied_call_leaves_under_random_cuts():
    """The same trials as the long run in bench/bench_denials.py, fewer."""
    draw = random.Random(20261124)
    trials = [trial(draw) for _ in range(600)]
    assert sum(one.leaked for one in trials) == 0
    assert all(one.whole for one in trials)
    assert sum(one.denied for one in trials) > 500
    assert sum(one.allowed for one in trials) > 300
    assert {one.dialect for one in trials} == {"openai-chat", "openai-responses", "anthropic-messages"}


def test_the_trial_sees_a_leak():
    """Five letters of a mark are found as bytes, and behind JSON's escapes."""
    mark = "ABCDEFGHIJKLMNOPQRSTUVWX"
    assert leaked(b"data: {}\n\n", [mark]) == 0
    assert leaked(b'data: {"content": "xxDEFGHxx"}\n\n', [mark]) == 1
    assert leaked(b'data: {"content": "\\u0044EFGH"}\n\n', [mark]) == 1
