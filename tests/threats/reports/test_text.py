"""The terminal's table: ten rows, the outcome in words, hostile text without effect."""

import io

import pytest
from rich.console import Console
from tests.threats.examples import assessment

from bartizan.threats.reports.text import render, verdict


def printed(run):
    """Return what a terminal of 140 columns shows."""
    console = Console(file=io.StringIO(), width=140)
    console.print(render(run))
    return console.file.getvalue()


def test_the_rows_and_the_outcome_are_printed():
    """Figures with intervals, claims with their result, what to do."""
    text = printed(assessment())
    for said in (
        "T10",
        "79% [63%–90%] n=42",
        "BROKEN",
        "A claim failed: T02. 7 of 10 threats have no claim yet.",
        "to do",
    ):
        assert said in text, said
    assert "these figures speak of references of ours" in text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "A claim failed"),
        ({"failed": False}, "Could not test everything"),
        ({"failed": False, "untested": False}, "Every claim held. 8 of 10"),
    ],
)
def test_the_verdict_never_calls_an_untested_run_good(more, said):
    """Three outcomes, three sentences."""
    assert verdict(assessment(**more)).startswith(said)


def test_hostile_text_is_no_markup():
    """Rich markup of the attacker's is printed, not obeyed; control characters do not reach the terminal."""
    text = printed(assessment())
    assert "[red]x[/red]" in text
    assert "\x1b" not in text
