"""`bartizan lab attack` on rows as a user runs it: trees, a CSV file with a header, a schema, a page."""

import json

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from tests.lab.evasion.test_tabular import table

from bartizan.cli.main import main

HEADER = "age,fixed,work=a,work=b,work=c,share,sum,class"


def only_labels(rows):
    """Answer with labels: a search for scores has nothing to hold on to."""
    return np.zeros(len(rows), dtype=int)


@pytest.fixture
def words(tmp_path, monkeypatch):
    """The command's words for a small model and its test data."""
    monkeypatch.chdir(tmp_path)
    skops.io.dump(LogisticRegression(max_iter=500).fit(*table(200)), tmp_path / "rows.skops")
    x, y = table(30, seed=1)
    np.savetxt(tmp_path / "test.csv", np.c_[x, y], delimiter=",", header=HEADER, comments="")
    (tmp_path / "schema.toml").write_text('most_changed = 1\nreach = 0.4\nimmutable = ["fixed", "sum"]\n')
    given = "lab attack rows.skops --data test.csv --schema schema.toml --suite quick --curve 10"
    return given.split()


def test_it_measures_and_writes_what_it_says(words, tmp_path, capsys):
    """The schema and the figures on standard output, both files, the same figures as JSON."""
    assert main(words) == 0
    said = capsys.readouterr().out
    document = json.loads((tmp_path / "attack.json").read_text())
    assert document["robust_accuracy"]["value"] < document["clean_accuracy"]["value"]
    assert "accuracy under attack" in said
    assert "one of 3" in said
    assert "<mark>" in (tmp_path / "attack.html").read_text()
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["robust_accuracy"] == document["robust_accuracy"]


def test_an_inferred_schema_is_written_and_taken_back(words, tmp_path, capsys):
    """The guess is called one, and the file gives the same result."""
    words[words.index("--schema") + 1] = "infer"
    assert main([*words, "--output", "out"]) == 0
    assert "The schema is a guess" in capsys.readouterr().out
    first = json.loads((tmp_path / "out" / "attack.json").read_text())
    words[words.index("--schema") + 1] = "out/schema.toml"
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["robust_accuracy"] == first["robust_accuracy"]


def test_what_cannot_be_attacked_is_said(words, tmp_path, capsys):
    """A column that is not there; labels only; words for numbers; pictures; a class the model does not know."""
    (tmp_path / "other.toml").write_text('immutable = ["height"]\n')
    assert main([*words, "--schema", "other.toml"]) == 2
    assert "no column 'height'" in capsys.readouterr().err
    python = [*words[:2], "python:tests.cli.lab.test_rows:only_labels", *words[3:], "--classes", "2"]
    assert main(python) == 2
    assert "gives labels only" in capsys.readouterr().err
    np.savez(tmp_path / "pictures.npz", x=np.zeros((2, 4, 4)), y=[0, 1])
    assert main([*words, "--data", "pictures.npz"]) == 2
    assert "expected rows of a table" in capsys.readouterr().err
    text = (tmp_path / "test.csv").read_text().splitlines()
    (tmp_path / "test.csv").write_text("\n".join([*text, text[1].rpartition(",")[0] + ",9"]))
    assert main(words) == 2
    assert "class" in capsys.readouterr().err
    (tmp_path / "test.csv").write_text(f"{HEADER}\n39,1,Private,0,0,0.5,40,1\n")
    assert main(words) == 2
    assert "a category as a column of 0 and 1" in capsys.readouterr().err
