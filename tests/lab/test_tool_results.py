"""Answers of tools: the free text stands in them, all else follows the seed."""

import json
import random

import pytest

from bartizan.lab.tool_results import compose


@pytest.mark.parametrize("seed", range(40))
def test_the_text_stands_in_every_form_and_nothing_else_depends_on_it(seed):
    """So that a clean answer and a poisoned one differ in that text alone."""
    first, second = (compose(word, random.Random(seed)) for word in ("zebrafish", "marmalade"))
    assert first.count("zebrafish") == 1
    assert first.replace("zebrafish", "marmalade") == second


def test_many_forms_are_drawn():
    """JSON among them, which can be read back."""
    read = 0
    texts = [compose('He said "no".', random.Random(seed)) for seed in range(200)]
    for text in texts:
        try:
            json.loads(text)
            read += 1
        except ValueError:
            continue
    assert 40 < read < 160
    assert len(set(texts)) == 200
