"""What hardening did, as plain values and as a page that needs nothing else."""

import json

from bartizan.core.measures import proportion
from bartizan.lab.hardening.outcome import Outcome, as_json, as_page

OUTCOME = Outcome(
    "Smoothed <carefully>.",
    {"clean_accuracy": proportion(90, 100, seed=1), "robust_accuracy": proportion(1, 100, seed=1)},
    {"clean_accuracy": proportion(85, 100, seed=1)},
    [(0.0, proportion(85, 100, seed=1)), (0.5, proportion(40, 100, seed=1))],
    {"samples": 1000},
    ("Ask it so.",),
)


def test_json_holds_every_figure_with_its_interval():
    """And what it was made with."""
    words = json.loads(json.dumps(as_json(OUTCOME)))
    assert words["before"]["robust_accuracy"]["value"] == 0.01
    assert words["after"]["clean_accuracy"]["low"] < 0.85
    assert [one["radius"] for one in words["certified"]] == [0, 0.5]
    assert (words["samples"], words["notes"]) == (1000, ["Ask it so."])


def test_the_page_shows_figures_curve_and_notes():
    """What was not measured after it is said so; words are escaped; nothing comes from outside."""
    page = as_page(OUTCOME, "net")
    assert "<title>Bartizan: net, hardened</title>" in page
    assert "85.0 %" in page
    assert "not measured" in page
    assert "Smoothed &lt;carefully&gt;." in page
    assert "Ask it so." in page
    assert 'aria-label="accuracy by radius"' in page
    assert "<svg" not in as_page(Outcome("Nothing.", {}, {}), "net")
