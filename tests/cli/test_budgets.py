"""`bartizan budgets` as people run it."""

import json
from pathlib import Path

import pytest

from bartizan.cli.main import main


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def listed(capsys, *words):
    capsys.readouterr()
    assert main(["budgets", *(words or ("list",)), "--json"]) == 0
    return [(row["scope"], row["allow"], row["from"]) for row in json.loads(capsys.readouterr().out)]


def test_a_limit_is_set_replaced_listed_and_removed(capsys):
    """The same kind and window for the same name is one limit; the settings file's shows unless replaced."""
    Path("bartizan.toml").write_text(
        '[[limits.rules]]\nscope = "key:*"\nallow = "60 requests per minute"\n'
        '[[limits.rules]]\nscope = "all"\nallow = "9 at once"\n'
    )
    for allow in ("5 requests per minute", "7 requests per minute", "8 at once"):
        assert main(["budgets", "set", "key:*", allow]) == 0
    ours = "set while running"
    assert listed(capsys) == [
        ("key:*", "7 requests per minute", ours),
        ("key:*", "8 at once", ours),
        ("all", "9 at once", "settings file"),
    ]
    assert main(["budgets", "remove", "key:*", "7 requests per minute"]) == 0
    assert ("key:*", "60 requests per minute", "settings file") in listed(capsys)
    assert listed(capsys, "show", "all") == [("all", "9 at once", "settings file")]
    assert main(["budgets", "list"]) == 0
    assert "9 at once" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["set", "key:*", "some"], "expected such as"),
        (["set", "earth", "8 at once"], "expected all"),
        (["set", "all", "$5 per day"], "no price book"),
        (["remove", "all", "8 at once"], "not set"),
    ],
)
def test_what_cannot_be_meant_is_refused(words, why, capsys):
    """Exit code 2 and one line."""
    assert main(["budgets", *words]) == 2
    assert why in capsys.readouterr().err
