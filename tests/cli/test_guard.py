"""`bartizan guard` refuses an older lock that was put back, and what is not in the lock."""

import json

import pytest

from bartizan.cli.main import main


@pytest.fixture
def admit(tmp_path, monkeypatch, capsys):
    """A function that admits the next version of the model."""
    monkeypatch.chdir(tmp_path)

    def admit(version, data):
        (tmp_path / "m.pkl").write_bytes(data)
        main(["admit", "propose", "m.pkl", "--version", version, "--who", "bob"])
        capsys.readouterr()
        main(["admit", "list", "--json"])
        main(["admit", "approve", json.loads(capsys.readouterr().out)["proposal"]["id"], "--who", "ada", "--why", "ok"])
        return (tmp_path / "bartizan.lock").read_bytes()

    return admit


def test_an_older_lock_with_its_older_model_does_not_start(admit, tmp_path, capsys):
    """Both are well signed; the ledger knows that a later one was issued."""
    old = admit("1", b"\x80\x02N.")
    admit("2", b"\x80\x02K\x01.")
    assert main(["guard"]) == 0
    (tmp_path / "bartizan.lock").write_bytes(old)
    (tmp_path / "m.pkl").write_bytes(b"\x80\x02N.")
    assert main(["guard"]) == 2
    assert "older one was put back" in capsys.readouterr().err


def test_what_is_not_in_the_lock_does_not_start(admit, capsys):
    """By name."""
    admit("1", b"\x80\x02N.")
    capsys.readouterr()
    assert main(["guard", "other=m.pkl", "--", "true"]) == 1
    assert "not in the lock" in capsys.readouterr().out
