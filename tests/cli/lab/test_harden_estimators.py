"""`bartizan lab harden` on rows and texts as a user runs it: what it writes is attacked by `bartizan lab attack`."""

import json
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tests.cli.lab.test_rows import HEADER
from tests.lab.evasion.reviews import reviews
from tests.lab.evasion.test_tabular import table

from bartizan.cli.main import main


def linear():
    """A factory of a model of rows."""
    return LogisticRegression(max_iter=500)


def trees():
    """A factory of a model whose file holds types that are on no list."""
    return HistGradientBoostingClassifier(max_iter=5)


def words():
    """A factory of a model of texts."""
    return make_pipeline(CountVectorizer(), LogisticRegression())


def nothing():
    """A factory of what is no model."""
    return 3


def write_rows(name, n, seed):
    """Write rows as a .csv with a header."""
    x, y = table(n, seed=seed)
    np.savetxt(name, np.c_[x, y], delimiter=",", header=HEADER, comments="")


def write_texts(name, n, seed):
    """Write texts as JSON lines."""
    rows = zip(*reviews(n, seed=seed), strict=True)
    Path(name).write_text("".join(json.dumps({"text": text, "label": int(label)}) + "\n" for text, label in rows))


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    """Training and test data of both kinds in the working folder."""
    monkeypatch.chdir(tmp_path)
    write_rows("rows.csv", 200, 0)
    write_rows("test.csv", 40, 1)
    Path("schema.toml").write_text('most_changed = 2\nreach = 0.4\nimmutable = ["fixed", "sum"]\n')
    write_texts("texts.jsonl", 200, 0)
    write_texts("test.jsonl", 40, 1)


ROWS = "lab harden --data rows.csv --test test.csv --schema schema.toml --factory tests.cli.lab.test_harden_estimators:"
ATTACK = "lab attack hardened.skops --suite quick --curve 0"
TEXTS = "lab harden --data texts.jsonl --test test.jsonl --factory tests.cli.lab.test_harden_estimators:"


def hardened(given, capsys):
    """Run a command; return its figures."""
    assert main([*given.split(), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_rows_are_hardened_by_what_won_and_the_file_is_attacked(capsys):
    """Before and after on standard output, in JSON and on the page; `lab attack` finds the same figure."""
    assert main([*(ROWS + "linear").split(), "--rounds", "1"]) == 0
    said = capsys.readouterr().out
    assert "before  robust accuracy" in said
    assert "hardened.skops" in said
    found = json.loads(Path("harden.json").read_text())
    assert found["before"]["robust_accuracy"]["value"] < found["before"]["clean_accuracy"]["value"]
    assert "Trained on the rows that won" in Path("harden.html").read_text()
    assert main(f"{ATTACK} --data test.csv --schema schema.toml".split()) == 0
    capsys.readouterr()
    attacked = json.loads(Path("attack.json").read_text())
    assert attacked["clean_accuracy"]["value"] == found["after"]["clean_accuracy"]["value"]
    again = hardened(ROWS + "linear --rounds 1", capsys)
    assert again["after"] == found["after"]


def test_texts_are_read_in_one_spelling(capsys):
    """By default; more stand than before, and the file is one that `lab attack` opens."""
    found = hardened(TEXTS + "words --words 0.3", capsys)
    assert found["after"]["robust_accuracy"]["value"] > found["before"]["robust_accuracy"]["value"] + 0.1
    assert main(f"{ATTACK} --data test.jsonl".split()) == 0


@pytest.mark.parametrize("given", [ROWS + "linear", TEXTS + "words"])
def test_doubtful_ones_are_left_without_an_answer(given, capsys):
    """In both kinds; the file answers with one class more."""
    found = hardened(given + " --method reject --false-alarms 0.1", capsys)
    assert 0 <= found["after"]["clean inputs left without an answer"]["value"] < 0.5
    assert found["after"]["robust_accuracy"]["value"] >= found["before"]["robust_accuracy"]["value"]
    data = "test.csv --schema schema.toml" if "rows.csv" in given else "test.jsonl"
    assert main(f"{ATTACK} --data {data}".split()) == 0


def test_a_file_is_where_it_starts_from(capsys):
    """The estimator of a file stands before; one like it is trained. An inferred schema is written."""
    skops.io.dump(linear().fit(*table(30)), "old.skops")
    given = ROWS.replace("schema.toml", "infer").replace(" --factory tests.cli.lab.test_harden_estimators:", "")
    found = hardened(given + " --weights old.skops --rounds 1 --examples 10", capsys)
    assert found["before"]["clean_accuracy"]["n"] == 10
    assert "fixed" in Path("schema.toml").read_text()


def test_types_on_no_list_are_told(capsys):
    """The file is written all the same, and it is said how it is read."""
    assert main([*(ROWS + "trees").split(), "--method", "reject", "--false-alarms", "0.2"]) == 0
    assert "types that are on no list" in capsys.readouterr().out.replace("\n", " ")


def test_what_cannot_be_hardened_is_said(capsys):
    """No estimator; a way for others; rows of another table; a class that training lacks; labels only."""
    for given, why in (
        (ROWS + "nothing", "expected an estimator"),
        (ROWS + "linear --method spelling", "expected augment or reject"),
        (TEXTS + "words --method fast", "expected spelling or reject"),
        (ROWS + "linear --rounds 0", "0 rounds"),
        (ROWS.replace(" --schema schema.toml", "") + "linear --method augment", "only for rows of a table"),
        ("lab harden --data texts.jsonl", "no module to train"),
    ):
        assert main(given.split()) == 2
        assert why in capsys.readouterr().err.replace("\n", " ")
    x, y = table(20)
    np.savez("other.npz", x=x[:, :3], y=y)
    assert main((ROWS + "linear").replace("test.csv", "other.npz").split()) == 2
    assert "rows of one table" in capsys.readouterr().err
    Path("test.jsonl").write_text('{"text": "fine", "label": 7}\n')
    assert main((TEXTS + "words").split()) == 2
    assert "expected 0, 1" in capsys.readouterr().err
