"""Where a run of characters without white space begins."""

import pytest

from bartizan.gateway.output.base import LONGEST_RUN, Hit, run_start


@pytest.mark.parametrize(("text", "start"), [("", 0), ("abc", 0), ("a bc", 2), ("a\tbc", 2), ("a ", 2), ("a\n\nb", 3)])
def test_the_last_run_is_found(text, start):
    """Spaces, tabs and line ends separate."""
    assert run_start(text) == start


def test_an_endless_run_is_cut():
    """Nothing we look for is longer."""
    assert run_start("x" * 10_000) == 10_000 - LONGEST_RUN


def test_a_finding_never_repeats_what_was_found():
    """It says the rule, why and where."""
    assert Hit(3, 9, "r", "why").finding("text").where == "text"
