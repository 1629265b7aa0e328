"""Refusals are read from how an answer opens; a regret that goes on to give is none."""

import pytest

from bartizan.detect.turns.refusals import refusal


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I won’t go into that.",
        "Es tut mir leid, dabei kann ich nicht helfen.",
        "Lo siento, no puedo ayudarte con eso.",
        "Je ne peux pas vous aider.",
        "抱歉，我不能帮助你。",
        "I can't do that, but here is a list of helplines.",
    ],
)
def test_an_answer_that_says_no_is_a_refusal(answer):
    """In several languages, with any apostrophe."""
    found = refusal(answer)
    assert found is not None
    assert answer.replace("\u2019", "'")[found.span.start : found.span.end] == found.words


@pytest.mark.parametrize(
    "answer",
    [
        "Sure, here is how to do it.",
        "I'm sorry that you wait. Here is what to do: 1. Call us.",
        "The shop opens at nine.",
        "",
        "x" * 400 + " I can't help with that.",
    ],
)
def test_an_answer_that_gives_is_none(answer):
    """Nor is one that says no far behind its opening."""
    assert refusal(answer) is None
