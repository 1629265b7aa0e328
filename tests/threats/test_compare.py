"""Two runs side by side: real changes are named with their control, noise is not a change."""

import copy

from tests.threats.examples import assessment

from bartizan.threats.compare import compare
from bartizan.threats.reports.json_document import document


def run(hits=4, n=42, state="holds", stopped=None, settings=None):
    """Return a report whose first row has these figures."""
    made = copy.deepcopy(document(assessment(failed=False, untested=False)))
    made["settings"] = settings or {}
    row = made["rows"][0]
    row["state"] = state
    value = hits / n
    row["evidence"]["attack_success_on"].update(value=value, low=max(0.0, value - 0.1), high=min(1.0, value + 0.1))
    row["evidence"]["stopped_by"] = stopped or {}
    return made


def test_the_control_that_was_switched_off_is_named_first():
    """Another control that caught more in its place comes after it."""
    on = {"output.leak": '"block"', "output.links": '"redact"'}
    before = run(stopped={"output.leak": 20, "gateway.input_screen": 2}, settings=on)
    after = run(30, state="failed", stopped={"gateway.input_screen": 40}, settings={**on, "output.leak": '"off"'})
    found = compare(before, after)
    assert found.settings == (("output.leak", '"block"', '"off"'),)
    (change,) = found.changes
    assert (change.threat, change.direction) == ("T01", "worse")
    assert change.controls[0] == "output.leak stopped 20 before and 0 now, and its setting changed"
    assert change.controls[1].startswith("gateway.input_screen")
    assert compare(after, before).changes[0].direction == "better"


def test_a_difference_within_the_intervals_is_no_change():
    """Two of forty-two more is noise."""
    assert compare(run(4), run(6)).changes == ()


def test_figures_that_stand_apart_are_a_change_even_when_both_hold():
    """A claim that still holds may hold by less."""
    (change,) = compare(run(4), run(20)).changes
    assert change.direction == "worse"
    assert change.controls == ()


def test_other_circumstances_are_said():
    """Another model or seed weakens every conclusion."""
    other = run()
    other["seed"], other["subject"]["model"] = 8, "another"
    assert compare(run(), other).circumstances == (("seed", "7", "8"), ("model", "model", "another"))


def test_a_row_that_is_in_one_run_only_is_not_compared():
    """There is nothing to compare it with."""
    short = run()
    short["rows"] = short["rows"][1:]
    assert compare(short, run(40, state="failed")).changes == ()
