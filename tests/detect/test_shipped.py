"""The shipped classifier is whole, small, and says what it is."""

import json
from pathlib import Path

import pytest

from bartizan.core.errors import BadArtifact
from bartizan.detect import shipped as module
from bartizan.detect.shipped import load, shipped, write_card

WEIGHTS = Path(module.__file__).parent / "weights"


def test_the_weights_fit_into_the_package():
    """25 megabytes in all."""
    assert sum(file.stat().st_size for file in WEIGHTS.iterdir()) <= 25e6


def test_the_card_names_what_the_classifier_runs_on():
    """Shape, mix, thresholds, the recipe with its seed."""
    card = shipped().card
    assert {"shape", "mix", "thresholds", "recipe", "data", "limits"} <= set(card)
    assert card["thresholds"]["0.1%"]["attack"] >= card["thresholds"]["1%"]["attack"]


@pytest.mark.parametrize("card", [None, "{}", "[", json.dumps({"shape": {}, "mix": {"floor": [0], "share": 1}})])
def test_a_folder_that_is_not_whole_is_refused(tmp_path, card):
    """In one line that names the folder."""
    if card is not None:
        (tmp_path / "card.json").write_text(card)
    with pytest.raises(BadArtifact, match=r"expected card\.json"):
        load(tmp_path)


def test_a_card_keeps_every_letter(tmp_path):
    """As it was written."""
    write_card(tmp_path, {"limits": ["é"]})
    assert json.loads((tmp_path / "card.json").read_text(encoding="utf-8")) == {"limits": ["é"]}
