"""`bartizan lab audit` trains, attacks, says the worst, goes on where it stopped, and refuses what it cannot audit."""

import json

import numpy as np
import pytest
from tests.lab.membership.samples import records

from bartizan.cli.main import main


@pytest.fixture
def rows(tmp_path):
    """Records with some labels wrong, as a file."""
    x, y = records(n=200)
    np.savez(tmp_path / "rows.npz", x=x, y=y)
    return tmp_path / "rows.npz"


def test_the_leak_is_shown_without_and_with_dp_and_a_second_run_reads_the_models(rows, tmp_path, capsys):
    """The worst attack wins less under DP; models are kept."""
    words = ["lab", "audit", "--data", str(rows), "--models", "6", "--epsilon", "2", "--output", str(tmp_path)]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "(worst)" in shown
    assert "(PLD)" in shown
    first = json.loads((tmp_path / "audit.json").read_text())
    plain, private = (
        max(one["auc"]["value"] for one in first["ways"][name]["attacks"].values()) for name in ("as it is", "with DP")
    )
    assert plain > private + 0.1
    kept = sorted((tmp_path / ".bartizan-lab").iterdir())
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == first
    assert sorted((tmp_path / ".bartizan-lab").iterdir()) == kept


def test_an_own_training_function_is_audited(rows, tmp_path):
    """Named as module:function; this one learns nothing, so nothing leaks."""
    words = ["lab", "audit", "--data", str(rows), "--models", "6", "--output", str(tmp_path)]
    assert main([*words, "--train", "tests.lab.membership.test_shadows:constant"]) == 0
    way = json.loads((tmp_path / "audit.json").read_text())["ways"]["as it is"]
    assert way["attacks"]["loss threshold"]["auc"]["value"] < 0.6


@pytest.mark.parametrize("bad", [["--models", "5"], ["--hidden", "x"], ["--epsilon", "0"], ["--data", "none.npz"]])
def test_what_cannot_be_audited_is_refused(rows, tmp_path, bad, capsys):
    """With a reason, and exit code 2."""
    assert main(["lab", "audit", "--data", str(rows), "--output", str(tmp_path), *bad]) == 2
    assert "bartizan:" in capsys.readouterr().err
