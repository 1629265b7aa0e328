"""`bartizan people`: add, change, list, remove; the password comes from standard input and stays out of the record."""

import io

import pytest

from bartizan.cli.main import main
from bartizan.core.clock import SystemClock
from bartizan.dashboard.people import People
from bartizan.ledger.log import Ledger

PASSWORD = "correct horse battery"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder; the password waits on standard input."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n" * 5))
    return tmp_path


def test_people_come_change_and_go(folder, capsys):
    """Each change is a record of the ledger."""
    assert main(["people", "list"]) == 0
    assert "nobody" in capsys.readouterr().out
    assert main(["people", "add", "ann", "--role", "admin"]) == 0
    assert main(["people", "add", "bob"]) == 0
    assert main(["people", "role", "bob", "reviewer"]) == 0
    people = People(folder / "bartizan-data/people.json", SystemClock())
    assert people.check("bob", PASSWORD).role == "reviewer"
    assert main(["people", "remove", "bob"]) == 0
    assert main(["people", "list"]) == 0
    assert "ann" in capsys.readouterr().out
    ledger = Ledger.open(
        folder / "bartizan-data/ledger",
        origin="bartizan.local/ledger",
        clock=SystemClock(),
        checkpoint_file=folder / "bartizan-data/checkpoints.txt",
    )
    entries = ledger.entries(0, 100)
    ledger.close()
    assert [one.record.kind for one in entries] == ["person-added", "person-added", "person-changed", "person-removed"]
    assert PASSWORD not in str(entries)


def test_what_may_not_be_is_refused(folder, capsys):
    """The last admin, an unknown name."""
    main(["people", "add", "ann", "--role", "admin"])
    assert main(["people", "remove", "ann"]) == 2
    assert "last admin" in capsys.readouterr().err
    assert main(["people", "role", "eve", "viewer"]) == 2
    assert "nobody is called" in capsys.readouterr().err
