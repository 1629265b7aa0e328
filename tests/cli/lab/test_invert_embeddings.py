"""`bartizan lab invert-embeddings` reads texts back, writes both files, and refuses what it cannot measure."""

import json
from pathlib import Path

import pytest

from bartizan.cli.main import main
from bartizan.lab.inversion.notes import notes

ENCODER = "python:tests.lab.inversion.word_sums:embed"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with texts that are stored and texts that the attacker owns."""
    monkeypatch.chdir(tmp_path)
    for name, count, seed in (("stored", 20, 1), ("own", 80, 2)):
        Path(f"{name}.txt").write_text("\n".join(note.text for note in notes(count, seed)))
    return tmp_path


def test_texts_come_back_and_both_files_are_written(here, capsys):
    """As a table, a page, and JSON with every embedded text counted."""
    given = ["lab", "invert-embeddings", ENCODER, "--texts", "stored.txt", "--own", "own.txt"]
    assert main([*given, "--sentences", "2", "--questions", "20", "--defence", "int8"]) == 0
    said = capsys.readouterr().out
    assert "Words come back with an F1 of" in said
    assert "keyed rotation" in said
    assert "<mark>" in Path("embeddings.html").read_text()
    document = json.loads(Path("embeddings.json").read_text())
    assert document["texts embedded"] <= 20 + 80 + 2 * 2 * 20
    assert document["families"][0]["name"] == "words"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--texts", "stored.txt"], "go together"),
        (["--texts", "stored.txt", "--own", "own.txt", "--defence", "salt"], "expected one of noise 0.1"),
        (["--texts", "stored.txt", "--own", "own.txt", "--sentences", "0"], "expected 1 and more"),
        (["--texts", "stored.txt", "--own", "own.txt", "--max-queries", "5"], "more than the 5 allowed"),
    ],
)
def test_what_cannot_be_measured_is_refused(here, capsys, wrong, said):
    """With the next step."""
    assert main(["lab", "invert-embeddings", ENCODER, *wrong]) == 2
    assert said in capsys.readouterr().err.replace("\n", " ")
