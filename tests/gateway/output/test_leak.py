"""Canaries, codes and quotes of the operator's prompt."""

import base64
import codecs

import pytest
from tests.gateway.samples import CANARY, PROSE, QUOTE, SYSTEM

from bartizan.core.messages import Message, Prompt, Role
from bartizan.gateway.output.leak import Leak, disguises, operator_texts

CONTROL = Leak((CANARY,), [SYSTEM], 8)


@pytest.mark.parametrize(
    "form",
    [
        CANARY,
        CANARY.lower(),
        " ".join(CANARY),
        "K*E*S*T*R*E*L 4 4 7 1 q-x",
        CANARY[::-1],
        codecs.encode(CANARY, "rot13"),
        CANARY.encode().hex(),
        base64.b64encode(CANARY.encode()).decode(),
        base64.b64encode(b"x" + CANARY.encode() + b"yz").decode(),
        base64.b64encode(b"xy" + CANARY.encode() + b"z").decode(),
    ],
)
def test_a_canary_is_found_in_disguise(form):
    """Case, separators, reversed, rot13, hex, base64 at any offset."""
    assert any(hit.rule == "canary-leak" for hit in CONTROL.look(f"well: {form} !", final=True).hits)


def test_a_long_quote_is_found_and_a_short_one_is_not():
    """Eight words in a row, whatever the punctuation; seven pass."""
    assert next(hit.rule for hit in CONTROL.look(QUOTE.upper().replace(" ", "\n"), final=True).hits) == "prompt-leak"
    assert CONTROL.look(" ".join(SYSTEM.split()[:7]), final=True).hits == []


@pytest.mark.parametrize("text", [CANARY, QUOTE])
def test_no_beginning_is_released(text):
    """For every beginning the hold is at or before the start, until the hit is there."""
    for end in range(1, len(text)):
        look = CONTROL.look("so " + text[:end], final=False)
        assert look.hold <= 3 or look.hits


@pytest.mark.parametrize("text", PROSE)
def test_prose_passes(text):
    """Words that also stand in the prompt are no leak."""
    assert CONTROL.look(text, final=True).hits == []


def test_short_canaries_are_not_searched():
    """They would turn up by accident."""
    assert disguises("ab-12") == disguises("sesame") == set()


def test_only_the_operators_words_are_guarded():
    """A user's text may be repeated."""
    prompt = Prompt("m", (Message.of(Role.SYSTEM, "s"), Message.of(Role.DEVELOPER, "d"), Message.of(Role.USER, "u")))
    assert operator_texts(prompt) == ["s", "d"]
