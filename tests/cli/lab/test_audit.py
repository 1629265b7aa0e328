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


def test_a_model_gets_a_scorecard_and_a_page(tmp_path, capsys):
    """Five families from the command line; what cannot be audited is refused."""
    x, y = records(n=260)
    np.savez(tmp_path / "a.npz", x=x[:130], y=y[:130])
    np.savez(tmp_path / "b.npz", x=x[130:], y=y[130:])
    words = ["lab", "audit", "python:tests.cli.lab.test_audit:answers", "--data", str(tmp_path / "a.npz")]
    words += ["--models", "6", "--epochs", "5", "--questions", "60", "--output", str(tmp_path)]
    assert main([*words, "--test", str(tmp_path / "b.npz")]) == 0
    shown = capsys.readouterr().out
    assert "attribute inference" in shown
    found = json.loads((tmp_path / "audit.json").read_text())
    assert [one["name"] for one in found["families"]][:3] == ["membership", "one-run audit", "extraction"]
    assert "gives away" in (tmp_path / "audit.html").read_text()
    assert main([*words, "--shape", "3,3"]) == 2
    assert main([*words, "--questions", "3"]) == 2


def answers(x):
    """A model of the records: fixed, and sure of nothing."""
    odds = np.exp(x[:, :4] * 0.1)
    return odds / odds.sum(axis=1, keepdims=True)


def test_relaxed_training_is_shown_beside_and_called_no_guarantee(rows, tmp_path):
    """It leaks less to these attacks; a loss below zero is refused."""
    words = ["lab", "audit", "--data", str(rows), "--models", "6", "--relax", "0.6", "--output", str(tmp_path)]
    assert main(words) == 0
    found = json.loads((tmp_path / "audit.json").read_text())
    assert "another may find" in found["notes"][0]
    plain, relaxed = (
        max(one["auc"]["value"] for one in found["ways"][name]["attacks"].values())
        for name in ("as it is", "with RelaxLoss")
    )
    assert plain > relaxed
    words[words.index("0.6")] = "-1"
    assert main(words) == 2
