"""`bartizan lock` shows a signed list and refuses a changed one."""

import json

import pytest

from bartizan.cli.main import main


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """A folder with a lock of one model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "m.pkl").write_bytes(b"\x80\x02N.")
    main(["admit", "propose", "m.pkl", "--version", "1.0", "--who", "bob"])
    capsys.readouterr()
    main(["admit", "list", "--json"])
    main(["admit", "approve", json.loads(capsys.readouterr().out)["proposal"]["id"], "--who", "ada", "--why", "ok"])
    capsys.readouterr()
    return tmp_path


def test_it_shows_who_approved_what(here, capsys):
    """Name, version, people."""
    assert main(["lock"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("m.pkl", "1.0", "ada", "lock number 1"))


def test_a_changed_lock_is_refused(here, capsys):
    """As a whole."""
    content = json.loads((here / "bartizan.lock").read_text())
    content["payload"] = content["payload"][:-8] + "AAAAAAA="
    (here / "bartizan.lock").write_text(json.dumps(content))
    assert main(["lock"]) == 2
    assert "does not belong" in capsys.readouterr().err
