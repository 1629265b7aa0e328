"""`bartizan lab attack` as a user runs it: a file of weights, a file of data, a page and a JSON document."""

import json

import numpy as np
import pytest
import torch
from tests.lab.conftest import digit_data, plain_module  # noqa: F401 - fixtures

from bartizan.cli.main import main
from bartizan.lab.reference_classifier import small_cnn


def make():
    """The factory that the command line names."""
    return small_cnn(width=8)


@pytest.fixture
def words(tmp_path, monkeypatch, plain_module, digit_data):  # noqa: F811
    """The command's words for the plain network and its test data."""
    monkeypatch.chdir(tmp_path)
    torch.save(plain_module.state_dict(), tmp_path / "plain.pth")
    np.savez(tmp_path / "test.npz", x=digit_data[1].x, y=digit_data[1].y)
    given = "lab attack plain.pth --data test.npz --factory tests.cli.lab.test_attack:make --shape 1,8,8"
    return [*given.split(), "--epsilon", "0.15", "--examples", "16", "--suite", "quick", "--curve", "15"]


def test_it_measures_and_writes_what_it_says(words, tmp_path, capsys):
    """The table on standard output, both files, and the same figures in each."""
    assert main(words) == 0
    said = capsys.readouterr().out
    document = json.loads((tmp_path / "attack.json").read_text())
    assert document["robust_accuracy"]["value"] < document["clean_accuracy"]["value"]
    assert "accuracy under attack" in said
    assert "accuracy under attack" in (tmp_path / "attack.html").read_text()
    assert [point["epsilon"] for point in document["curve"]] == sorted(point["epsilon"] for point in document["curve"])


def test_json_alone_is_json_and_a_second_run_goes_on(words, capsys):
    """The kept part is read back: fewer rows are asked, the figures are the same."""
    documents = []
    for _ in range(2):
        assert main([*words, "--json"]) == 0
        documents.append(json.loads(capsys.readouterr().out))
    assert documents[0]["robust_accuracy"] == documents[1]["robust_accuracy"]
    assert documents[1]["queries"] < documents[0]["queries"]


def test_what_is_missing_is_said(words, capsys):
    """No target; a query limit that is too small."""
    assert main(["lab", "attack", "--data", "test.npz"]) == 2
    assert "no target" in capsys.readouterr().err
    assert main([*words, "--max-queries", "50"]) == 2
    assert "limit of this run is 50" in capsys.readouterr().err
