"""The page of artefacts: proposals with their changes, one approval a person, and the lock afterwards."""

from pathlib import Path

import pytest

from bartizan.cli.panels.artefacts import Artefacts
from bartizan.core import settings
from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadRequest, Refused

LIBRARY = b"\x80\x02csklearn.svm\nSVC\n)\x81."


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page over a folder with one critical proposal by bob."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.pkl").write_bytes(LIBRARY)
    page = Artefacts(settings.parse(""), StoppedClock())
    with page._desk() as desk:
        desk.propose(Path("m.pkl"), "m", "1", source="ours", who="bob")
    return page


def test_two_people_let_it_in(page):
    """The proposer cannot; afterwards the lock is shown with its files."""
    (item,) = page.items()
    assert (item.critical, item.asked_by, item.tone) == (True, "bob", "warn")
    assert any("new: 1 files" in part.text for part in page.detail(item.id))
    with pytest.raises(Refused, match="somebody else"):
        page.act("approve", item.id, "bob", {"why": "mine"})
    assert page.act("approve", item.id, "ada", {"why": "read"}) == "recorded; 1 more to approve"
    assert page.detail(item.id)[-1].rows == (("ada", "read"),)
    assert "lock 1 is written" in page.act("approve", item.id, "eve", {"why": "read"})
    (now,) = page.items()
    assert (now.id, now.tone, now.actions) == ("lock:m", "good", ())
    assert [part.title for part in page.detail("lock:m")] == ["Revisions", "Files"]


def test_a_denial_and_unknown_things(page):
    """A denied proposal is gone; what is not there has no detail."""
    (item,) = page.items()
    with pytest.raises(BadRequest):
        page.act("eat", item.id, "ada", {"why": "x"})
    assert page.act("deny", item.id, "ada", {"why": "no"}) == "denied"
    assert page.items() == []
    assert page.detail(item.id) == ()
    assert page.detail("lock:none") == ()


def test_with_reviewers_keys_the_page_only_denies(tmp_path, monkeypatch):
    """A browser holds no key."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.pkl").write_bytes(LIBRARY)
    page = Artefacts(settings.parse('[supply]\nreviewer_keys = "people"\n'), StoppedClock())
    with page._desk() as desk:
        desk.propose(Path("m.pkl"), "m", "1", source="", who="bob")
    assert "--key" in page.about
    assert page.items()[0].actions == ("deny",)
