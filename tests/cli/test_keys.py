"""`bartizan keys` as people run it."""

import json

import pytest

from bartizan.cli.main import main
from bartizan.core.clock import SystemClock
from bartizan.gateway.keys import KeyBook


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def listed(capsys):
    capsys.readouterr()
    assert main(["keys", "list", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_key_lives_from_create_to_revoke(capsys, tmp_path):
    """Create prints the key alone; list never does; rotate gives a second secret; revoke ends it."""
    assert main(["keys", "create", "bob", "--model", "gpt-*", "--role", "user", "--no-logprobs"]) == 0
    text = capsys.readouterr().out.strip()
    book = KeyBook(tmp_path / "bartizan-data/keys.json", SystemClock())
    key = book.find(text)
    assert (key.name, key.grant.models, key.grant.roles, key.grant.logprobs) == ("bob", ("gpt-*",), ("user",), False)
    assert main(["keys", "rotate", key.id]) == 0
    [shown] = listed(capsys)
    assert (shown["state"], shown["secrets"]) == ("live", 2)
    assert text.partition(".")[2] not in json.dumps(shown)
    assert main(["keys", "revoke", key.id]) == 0
    assert listed(capsys)[0]["state"] == "revoked"
    assert main(["keys", "list"]) == 0
    assert key.id in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["create", "x", "--network", "10.0.0.0/99"], "10.0.0.0/99"),
        (["create", "x", "--days", "0"], "expected more than 0"),
        (["revoke", "nosuch"], "'nosuch'"),
    ],
)
def test_mistakes_are_clear(words, why, capsys):
    """Exit code 2, the thing and the value."""
    assert main(["keys", *words]) == 2
    assert why in capsys.readouterr().err


def test_a_canary_is_made_and_listed(capsys):
    """Its text is shown once; the list says what it is."""
    assert main(["keys", "canary", "in the wiki"]) == 0
    text = capsys.readouterr().out.strip()
    [shown] = listed(capsys)
    assert (shown["name"], shown["canary"]) == ("in the wiki", True)
    assert text.startswith(f"bz_{shown['id']}.")
    assert main(["keys", "canary", "x", "--days", "0"]) == 2
