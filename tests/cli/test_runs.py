"""`bartizan runs`: the list, the difference between two runs, and its exit code."""

import json

import pytest
from tests.threats.test_compare import run

from bartizan.cli.main import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two kept runs: the later one is worse, because a control was switched off."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    runs = tmp_path / "bartizan-data/runs"
    runs.mkdir(parents=True)
    good = run(stopped={"output.leak": 20}, settings={"output.leak": '"block"'})
    bad = run(30, state="failed", settings={"output.leak": '"off"'})
    (runs / "20260101T000000Z.json").write_text(json.dumps(good))
    (runs / "20260102T000000Z.json").write_text(json.dumps(bad))
    return tmp_path


def test_the_list_shows_how_each_run_ended(folder, capsys):
    """The oldest first."""
    assert main(["runs", "list"]) == 0
    printed = capsys.readouterr().out
    assert printed.index("20260101T000000Z") < printed.index("20260102T000000Z")


def test_the_difference_names_the_control_and_worse_is_one(folder, capsys):
    """The last two by default; nothing changed between a run and itself."""
    assert main(["runs", "diff"]) == 1
    printed = capsys.readouterr().out
    assert 'setting output.leak: "block" before, "off" now' in printed
    assert "because output.leak stopped 20 before and 0 now, and its setting changed" in printed
    assert main(["runs", "diff", "last", "last"]) == 0
    assert "No row changed" in capsys.readouterr().out


def test_the_difference_as_json(folder, capsys):
    """For machines; better is no failure."""
    assert main(["runs", "diff", "last", "last-1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changes"][0]["direction"] == "better"


def test_a_run_that_is_not_there_is_refused(folder, capsys):
    """Exit code 2 and the next step."""
    assert main(["runs", "diff", "nothing"]) == 2
    assert "runs list" in capsys.readouterr().err
