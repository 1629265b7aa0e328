"""`bartizan ledger` as a user types it."""

import json
import sqlite3

import pytest

from bartizan.cli.main import main
from bartizan.core.clock import SystemClock
from bartizan.ledger.log import Ledger
from bartizan.ledger.tables.sqlite import DATABASE


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a ledger of three records in the default place."""
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "bartizan-data"
    one = Ledger.open(
        data / "ledger", origin="bartizan.local/ledger", clock=SystemClock(), checkpoint_file=data / "checkpoints.txt"
    )
    one.append_many([("chat", {"text": f"hello \u202e {number}"}) for number in range(3)])
    one.checkpoint()
    one.close()
    return tmp_path


def test_verify_says_intact_and_names_what_is_not(folder, capsys):
    """Exit codes 0 and 1, text and JSON."""
    assert main(["ledger", "verify"]) == 0
    assert "intact: 3 records, 3 covered by 1 checkpoints, 0 erased" in capsys.readouterr().out
    db = sqlite3.connect(folder / "bartizan-data" / "ledger" / DATABASE)
    db.execute("UPDATE body SET body = '{}' WHERE seq = 1")
    db.commit()
    db.close()
    assert main(["ledger", "verify"]) == 1
    assert "PROBLEM record 1: the content does not match its commitment" in capsys.readouterr().out
    assert main(["ledger", "verify", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["problems"] == [
        {"seq": 1, "what": "the content does not match its commitment"}
    ]


def test_show_prints_what_cannot_be_seen(folder, capsys):
    """Hostile text does nothing to the terminal; JSON holds everything."""
    assert main(["ledger", "show", "--first", "1", "--count", "1"]) == 0
    printed = capsys.readouterr().out
    assert "⟨U+202E⟩" in printed
    assert "\u202e" not in printed
    assert main(["ledger", "show", "--json"]) == 0
    assert [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()] == [0, 1, 2]


def test_prove_erase_and_export(folder, capsys):
    """A proof with its checkpoint; an erased content; an export to a file and to standard output."""
    assert main(["ledger", "prove", "2"]) == 0
    assert json.loads(capsys.readouterr().out)["seq"] == 2
    assert main(["ledger", "erase", "2", "--why", "asked for"]) == 0
    assert main(["ledger", "show"]) == 0
    assert "(erased)" in capsys.readouterr().out
    assert main(["ledger", "export", "--output", "e.jsonl"]) == 0
    capsys.readouterr()
    assert main(["ledger", "export"]) == 0
    assert capsys.readouterr().out == (folder / "e.jsonl").read_text()
    assert main(["ledger", "verify"]) == 0
    assert main(["ledger", "export", "--output", "no/e.jsonl"]) == 2


@pytest.mark.parametrize("act", [["verify"], ["show"], ["export"], ["prove", "1"], ["erase", "1", "--why", "x"]])
def test_where_there_is_no_ledger_none_is_made(tmp_path, monkeypatch, capsys, act):
    """A clear error and an empty folder."""
    monkeypatch.chdir(tmp_path)
    assert main(["ledger", *act]) == 2
    assert "no ledger there" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
