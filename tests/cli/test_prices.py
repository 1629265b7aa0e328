"""`bartizan prices` as people run it."""

import json
from pathlib import Path

import pytest

from bartizan.cli.main import main


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_example_can_be_signed_checked_and_shown(capsys):
    """From nothing to prices in force with three commands."""
    assert main(["prices", "example"]) == 0
    Path("mine.json").write_text(capsys.readouterr().out)
    assert main(["prices", "sign", "mine.json"]) == 0
    assert "public key" in capsys.readouterr().out
    assert main(["prices", "check", "local-7b"]) == 0
    assert "the signature holds" in capsys.readouterr().out
    assert main(["prices", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"][1]["model"] == "local-*"
    assert main(["prices", "show"]) == 0
    assert "example-large" in capsys.readouterr().out
    assert main(["prices", "check", "gpt-unknown"]) == 2


def test_an_altered_book_and_rubbish_are_refused(capsys):
    """A price that somebody lowered by hand does not count."""
    main(["prices", "example"])
    Path("mine.json").write_text(capsys.readouterr().out)
    main(["prices", "sign", "mine.json"])
    book = Path("bartizan-data/prices.json")
    book.write_text(book.read_text().replace("2.00", "0.02"))
    assert main(["prices", "check"]) == 2
    assert "signature does not hold" in capsys.readouterr().err
    Path("mine.json").write_text("{}")
    assert main(["prices", "sign", "mine.json"]) == 2
    assert main(["prices", "sign", "none.json"]) == 2
