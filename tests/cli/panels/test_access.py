"""The pages for keys and people do what their commands do, and record who did it."""

import pytest

from bartizan.cli.panels.access import Keys, Who, number
from bartizan.core import settings
from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadRequest, BadSettings
from bartizan.dashboard.people import People, Role
from bartizan.gateway.keys import KeyBook

NEW = {"name": "web", "days": "30", "models": "gpt-* claude", "team": "ml", "why": "x"}


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Default settings in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return settings.parse("")


def test_a_key_is_made_shown_once_rotated_and_revoked(configured, tmp_path):
    """Both texts work until the key is revoked; what it may do is on its page."""
    clock = StoppedClock()
    page = Keys(configured, clock)
    first = page.act("create", "", "ann", NEW).rpartition(" ")[2]
    book = KeyBook(tmp_path / "bartizan-data/keys.json", clock)
    key = book.find(first)
    assert key.grant.models == ("gpt-*", "claude")
    assert key.scopes() == ("team:ml",)
    second = page.act("rotate", key.id, "ann", {}).rpartition(" ")[2]
    clock.advance(2)
    assert book.find(first)
    assert book.find(second)
    (item,) = page.items()
    assert item.cells[:5] == ("web", key.id, "live", "team:ml", "gpt-* claude")
    assert ("models", "gpt-*, claude") in page.detail(key.id)[0].rows
    page.act("revoke", key.id, "ann", {})
    clock.advance(2)
    assert book.find(second) is None
    assert page.items()[0].actions == ()


def test_days_that_are_none_are_refused(configured):
    """Before a key is made."""
    page = Keys(configured, StoppedClock())
    for days in ("", "x", "0", "nan", "1e9"):
        with pytest.raises(BadRequest, match="Days"):
            page.act("create", "", "ann", {**NEW, "days": days})
    assert page.items() == []
    assert number("7", "Days", 1, 10) == 7


def test_people_are_added_changed_and_removed(configured, tmp_path):
    """As on the command line, with the same refusals."""
    page = Who(configured, StoppedClock())
    people = People(tmp_path / "bartizan-data/people.json", StoppedClock())
    values = {"password": "correct horse battery", "why": "x"}
    page.act("add", "", "root", {**values, "name": "ann", "role": "admin"})
    page.act("add", "", "ann", {**values, "name": "bob", "role": "viewer"})
    page.act("role", "bob", "ann", {"role": "reviewer"})
    assert people.find("bob").rank() is Role.REVIEWER
    assert [item.id for item in page.items()] == ["ann", "bob"]
    assert page.detail("bob") == ()
    page.act("remove", "bob", "ann", {})
    with pytest.raises(BadSettings, match="last admin"):
        page.act("remove", "ann", "ann", {})
