"""`bartizan assess` as a user types it: table, files, exit codes 0, 1 and 2."""

import json
import os
import signal

import pytest
from tests.threats.servers import weak_model

from bartizan.cli import assess
from bartizan.cli.main import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def test_claims_that_hold_give_zero_and_five_reports(folder, capsys):
    """The table on standard output, the files in the named folder; what was measured is said to be ours."""
    code = main(["assess", "--threat", "T10", "--output", "out", "--seed", "3"])
    printed, told = capsys.readouterr()
    assert code == 0, printed
    assert "Every claim held." in printed
    assert told.splitlines()[0].startswith("T10 ")
    assert told.splitlines()[-1].endswith(" 1/1")
    assert "Nothing of yours was measured" in printed
    assert {path.name for path in (folder / "out").iterdir()} == {
        "report.html",
        "report.md",
        "report.json",
        "report.sarif",
        "report.junit.xml",
    }


def test_a_broken_claim_gives_one(folder, capsys):
    """The gateway's controls switched off in the settings: the attacker keeps winning, and the run says so."""
    (folder / "bartizan.toml").write_text('[gateway]\ninput_screen = "off"\n[output]\nleak = "off"\n')
    with weak_model() as (url, _):
        assert main(["assess", "--target", url, "--threat", "T01"]) == 1
    printed = capsys.readouterr().out
    assert "A claim failed: T01." in printed
    assert "Nothing of yours was measured" not in printed
    assert json.loads((folder / "report.json").read_text())["subject"]["model"] == "weak-1"


def test_what_could_not_be_tested_gives_two(folder, capsys):
    """A dead address, a target that fails."""
    assert main(["assess", "--target", "http://127.0.0.1:9", "--threat", "T01"]) == 2
    assert "Is the server running" in capsys.readouterr().err
    with weak_model(fail_after=0) as (url, _):
        assert main(["assess", "--target", url, "--threat", "T01"]) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--threat", "T11"], "expected one of T01"),
        (["--max-requests", "3"], "expected 10 to 1000000"),
        (["--jobs", "0"], "expected 1 to 64"),
        (["--resume"], "There is nothing to resume"),
        (["--evidence", "file"], "outside evidence file"),
        (["--target", "localhost:1"], "starts with http"),
        (["--output", "file/x"], "cannot be made"),
    ],
)
def test_bad_words_are_refused_before_anything_runs(folder, capsys, words, said):
    """Exit code 2, the value and what was expected."""
    (folder / "file").write_text("")
    assert main(["assess", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_log_gets_a_line_for_each_row_and_few_between(capsys):
    """However often the proofs of several threats say what they do."""
    with assess._told(3) as progress:
        for number in range(500):
            progress(f"T0{1 + number % 3} name: attack {number}", number, 500)
        progress("T01 name: holds", 1, 3)
    assert capsys.readouterr().err.splitlines() == ["T01 name: attack 0 0/500", "T01 name: holds 1/3"]


def test_a_run_that_is_asked_to_end_unwinds():
    """The proofs are processes of their own: they are stopped on the way out. What heard the signal before hears it."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match="143"), assess._ended():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
