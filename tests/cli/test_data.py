"""`bartizan data` admits, verifies and shows, and says what is wrong in words."""

import json

import pytest

from bartizan.cli.main import main


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder with one data set."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films.csv").write_text("text,label\ngood film,1\nbad film,0\n")
    return tmp_path


def test_admit_then_verify_then_tamper(here, capsys):
    """Exit 0, 0, and 1 with the row named."""
    assert main(["data", "admit", "films.csv", "--source", "web", "--label", "label", "--licence", "CC0"]) == 0
    assert "admitted films v1: 2 rows" in capsys.readouterr().out
    assert main(["data", "verify", "films"]) == 0
    stored = here / "bartizan-data/data/films/v1/data/films.csv"
    stored.write_text("text,label\ngood film,1\nbad film,1\n")
    assert main(["data", "verify", "films"]) == 1
    out = capsys.readouterr().out
    assert "changed: films.csv, row 2" in out
    assert "NOT VERIFIED" in out
    assert main(["data", "verify", "films", "--path", "films.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verified"] is True


def test_a_second_version_is_compared(here, capsys):
    """New rows are counted."""
    main(["data", "admit", "films.csv", "--source", "web", "--label", "label"])
    (here / "films.csv").write_text("text,label\ngood film,1\nbad film,0\nfine play,1\n")
    main(["data", "admit", "films.csv", "--source", "web", "--label", "label"])
    assert "compared with v1: 1 rows new, 0 gone" in capsys.readouterr().out
    assert main(["data", "admit", "films.csv", "--source", "web", "--label", "label"]) == 0
    assert "nothing new" in capsys.readouterr().out
    assert main(["ledger", "show"]) == 0
    assert capsys.readouterr().out.count("data-admitted") == 2


def test_a_source_must_be_named_and_metadata_must_fit(here, capsys):
    """Croissant that describes other files is refused; one that fits is provenance."""
    assert main(["data", "admit", "films.csv"]) == 2
    assert "--source" in capsys.readouterr().err
    main(["data", "admit", "films.csv", "--source", "web"])
    capsys.readouterr()
    assert main(["data", "show", "films", "--croissant"]) == 0
    document = json.loads(capsys.readouterr().out)
    document["license"] = "CC0"
    (here / "c.json").write_text(json.dumps(document))
    assert main(["data", "admit", "films.csv", "--name", "again", "--croissant", "c.json", "--json"]) == 0
    capsys.readouterr()
    assert main(["data", "show", "again"]) == 0
    assert json.loads(capsys.readouterr().out)["provenance"]["licence"] == "CC0"
    document["distribution"][0]["sha256"] = "00" * 32
    (here / "c.json").write_text(json.dumps(document))
    assert main(["data", "admit", "films.csv", "--name", "other", "--croissant", "c.json"]) == 2
    assert "the metadata says" in capsys.readouterr().err


def test_list_names_every_version(here, capsys):
    """With rows and source."""
    main(["data", "admit", "films.csv", "--source", "web"])
    capsys.readouterr()
    assert main(["data", "list"]) == 0
    assert capsys.readouterr().out == "films v1: 2 rows of csv from web\n"
