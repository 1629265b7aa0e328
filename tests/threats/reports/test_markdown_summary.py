"""The summary shows every row, and nothing that a target chose takes effect in it."""

from dataclasses import replace

import pytest
from tests.threats.examples import assessment

from bartizan.threats.reports.markdown_summary import code, render


def test_every_row_is_a_line_of_the_table():
    """Ten rows of seven cells, the figures, and why something failed or could not be tested."""
    written = render(assessment())
    rows = [line for line in written.splitlines() if line.startswith("| T")]
    assert [row.count("|") for row in rows] == [8] * 10
    assert "79% [63%–90%] n=42" in rows[0]
    assert "- **T02 failed:** `it broke" in written
    assert "- **T03 untested:** `nobody home" in written
    assert "bartizan ledger verify" in written


@pytest.mark.parametrize("name", ["`![x](http://a.example/?q)`", "m\n# owned @everyone", "<img src=x>", "", "\u202e|"])
def test_a_model_cannot_write_into_the_summary(name):
    """Whatever it is called, it stays inside one code span of one line."""
    run = assessment(reference=False)
    written = render(replace(run, subject=replace(run.subject, model=name)))
    attacked = written.splitlines()[2]
    assert attacked.count("`") == 4
    assert attacked.startswith(f"Attacked {code(name)} at ")
    assert "\n# owned" not in written


def test_a_long_reason_is_cut():
    """An upstream's error page does not fill the comment."""
    assert len(code("x" * 5000)) == 402


@pytest.mark.parametrize("reference", [True, False])
def test_the_reference_model_is_named_as_such_only_when_it_was_attacked(reference):
    """The sentence stands exactly where it is true."""
    assert ("Nothing of yours was measured" in render(assessment(reference=reference))) == reference
