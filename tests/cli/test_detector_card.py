"""The card for people: complete, fresh, and true to the result files it shows."""

import json
from pathlib import Path

import pytest

from bartizan.cli.detector_card import markdown
from bartizan.cli.main import main
from bartizan.core.errors import BadArtifact
from bartizan.detect.shipped import shipped

ROOT = Path(__file__).parents[2]
RESULTS = [ROOT / "bench/results" / f"detect{name}.json" for name in ("", "_pages", "_disguises", "_stream", "_speed")]


def test_the_card_in_the_docs_is_that_of_the_shipped_classifier():
    """With every figure that the benches have written down."""
    shown = markdown(shipped().card, [path for path in RESULTS if path.exists()])
    assert (ROOT / "docs/detect-card.md").read_text(encoding="utf-8") == shown


def test_every_source_of_training_is_in_the_card_with_its_licence():
    """The rows add up, those of later lessons too."""
    card = shipped().card
    shown = markdown(card, ())
    table = [line.split(" | ") for line in shown.splitlines() if line.startswith("| ") and line.count(" | ") == 4]
    entries = [entry for lesson in (card, *card.get("lessons", ())) for entry in lesson["data"].values()]
    assert sum(int(row[3]) for row in table if row[3].isdigit()) == sum(entry["innocent"] for entry in entries)
    assert {entry["licence"] for entry in entries} <= {row[1] for row in table}
    assert all(limit in shown for limit in card["limits"])


def test_figures_come_with_their_intervals(tmp_path):
    """Shares as percent; a slice of a handful of rows says nothing and is left out."""
    cell = {
        "n": 40,
        "trained_on": False,
        "at 1.0%": [0.5, 0.34, 0.66],
        "at 0.1%": [0.1, 0, 0.2],
        "as shipped": [1, 0.9, 1],
    }
    path = tmp_path / "detect.json"
    path.write_text(
        json.dumps({"what": "How well?", "quality": {"bartizan": {"slices": {"a": cell, "b": {**cell, "n": 3}}}}})
    )
    shown = markdown(shipped().card, [path])
    assert "| a | 40 | no | 50.0% [34.0%, 66.0%] | 10.0% [0.0%, 20.0%] | 100.0% [90.0%, 100.0%] |" in shown
    assert "| b |" not in shown
    path.write_text(json.dumps({"what": "Pages?", "clean": {"500": [0.01, 0.0, 0.02, 400]}, "other": [3, 4]}))
    shown = markdown(shipped().card, [path])
    assert "  - 500: 1.0% [0.0%, 2.0%], n = 400" in shown
    assert "- other: 3, 4" in shown


def test_a_file_that_is_no_result_is_refused(tmp_path):
    """By name."""
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(BadArtifact, match=r"x\.json: expected a result file"):
        markdown(shipped().card, [tmp_path / "x.json"])


def test_info_prints_it(capsys):
    """As the docs' file was made."""
    assert main(["detector", "info", "--markdown", str(RESULTS[0])]) == 0
    assert capsys.readouterr().out.startswith("# Card of the text classifier")
