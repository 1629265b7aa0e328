"""`bartizan lab attack` on texts as a user runs it: a scikit-learn pipeline, JSON lines, a page."""

import json

import pytest
import skops.io
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tests.lab.evasion.reviews import reviews

from bartizan.cli.main import main


def only_labels(texts):
    """Answer with labels: a search for scores has nothing to hold on to."""
    return [0] * len(texts)


@pytest.fixture
def words(tmp_path, monkeypatch):
    """The command's words for a small pipeline and its test data."""
    monkeypatch.chdir(tmp_path)
    fitted = make_pipeline(CountVectorizer(), LogisticRegression()).fit(*reviews(200))
    skops.io.dump(fitted, tmp_path / "reviews.skops")
    rows = zip(*reviews(30, seed=1), strict=True)
    (tmp_path / "test.jsonl").write_text(
        "".join(json.dumps({"text": text, "label": int(label)}) + "\n" for text, label in rows)
    )
    return ["lab", "attack", "reviews.skops", "--data", "test.jsonl", "--suite", "quick", "--curve", "10"]


def test_it_measures_and_writes_what_it_says(words, tmp_path, capsys):
    """Text on standard output, both files, the same figures as JSON."""
    assert main(words) == 0
    said = capsys.readouterr().out
    document = json.loads((tmp_path / "attack.json").read_text())
    assert document["robust_accuracy"]["value"] < document["clean_accuracy"]["value"]
    assert "accuracy under attack" in said
    assert "20% of the words" in said
    assert "<mark>" in (tmp_path / "attack.html").read_text()
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["robust_accuracy"] == document["robust_accuracy"]


def test_what_cannot_be_attacked_is_said(words, tmp_path, capsys):
    """Labels only; a line that is no row, by its number; too few questions; a class the model does not know."""
    assert main([*words[:2], "python:tests.cli.lab.test_texts:only_labels", *words[3:]]) == 2
    assert "gives labels only" in capsys.readouterr().err
    assert main([*words, "--max-queries", "31"]) == 2
    assert "limit of this run is 31" in capsys.readouterr().err
    assert main([*words, "--words", "0"]) == 2
    assert "share of words" in capsys.readouterr().err
    (tmp_path / "test.jsonl").write_text('{"text": "fine", "label": 7}\n')
    assert main(words) == 2
    assert "holds class 7" in capsys.readouterr().err
    (tmp_path / "test.jsonl").write_text('{"text": "fine", "label": 0}\n{"text": 3, "label": 0}\n')
    assert main(words) == 2
    assert "line 2" in capsys.readouterr().err
    (tmp_path / "test.jsonl").write_text("\n")
    assert main(words) == 2
    assert "holds no texts" in capsys.readouterr().err
