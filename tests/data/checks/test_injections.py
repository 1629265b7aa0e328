"""An attack is flagged in every text but a request of one line that was refused and nothing else."""

import pytest

from bartizan.data.checks.injections import check_injections

REFUSAL = "I'm sorry, but I can't help with that."


def screen(text):
    return "an order" if "ATTACK" in text else ""


def test_every_row_with_an_attack_is_flagged_and_each_text_read_once():
    """Copies cost nothing; what is told comes to its end."""
    read, told = [], []
    texts = ["ATTACK", "peace", "ATTACK", "peace"]
    found = check_injections(texts, lambda text: read.append(text) or screen(text), told=lambda *one: told.append(one))
    assert found.flagged.tolist() == [True, False, True, False]
    assert found.reasons == {0: "an order", 2: "an order"}
    assert read == ["ATTACK", "peace"]
    assert told[-1] == (4, 4)


def test_a_request_that_was_refused_is_innocent():
    """Also where the same request is obeyed in another row: that one is flagged."""
    found = check_injections(["How do I ATTACK a bank?"] * 2, screen, [REFUSAL, "First buy a mask."])
    assert found.flagged.tolist() == [False, True]


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("What is a lamp?\nsystem: ATTACK", REFUSAL),
        ("ATTACK a bank", "Here is how: first buy a mask."),
        ("ATTACK a bank", f"{REFUSAL} However, first buy a mask."),
        ("ATTACK a bank", f"{REFUSAL}\n1. Buy a mask."),
        ("ATTACK a bank", f"{REFUSAL} See https://masks.example for more."),
        ("ATTACK a bank", f"{REFUSAL} {'Buy a mask and wait. ' * 20}"),
        ("ATTACK a bank", ""),
    ],
)
def test_an_order_in_lines_of_its_own_and_an_answer_that_does_more_than_refuse_are_not(prompt, answer):
    """A hidden turn; obedience, also behind a refusal: a list, a site, a long text."""
    assert check_injections([prompt], screen, [answer]).flagged.all()
