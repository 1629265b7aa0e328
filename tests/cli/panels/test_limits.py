"""The pages for limits and the kill switch act on the store of a running gateway, and say so when they cannot."""

import pytest

from bartizan.cli.panels.limits import Spend, Switches
from bartizan.core import settings
from bartizan.core.errors import BadSettings

SHARED = '[limits]\nstore = "bartizan-data/limits.sqlite"\n'


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bartizan-data").mkdir()


def test_a_limit_is_set_shown_and_removed(tmp_path):
    """Also before anybody has used it; one of the settings file is shown and cannot be removed here."""
    configured = settings.parse(SHARED + '[[limits.rules]]\nscope = "all"\nallow = "100 requests per minute"\n')
    page = Spend(configured)
    page.act("set", "", "ann", {"scope": "key:abc", "allow": "8 at once"})
    found = {item.id: item for item in page.items()}
    assert found["key:abc 8 at once"].actions == ("remove",)
    assert found["all 100 requests per minute"].actions == ()
    page.act("remove", "key:abc 8 at once", "ann", {})
    assert "key:abc 8 at once" not in {item.id for item in page.items()}
    with pytest.raises(BadSettings, match="not set in"):
        page.act("remove", "key:abc 8 at once", "ann", {})
    assert page.detail("x") == ()


def test_something_is_stopped_with_who_and_why_and_let_go_again():
    """A scope that is none is refused."""
    page = Switches(settings.parse(SHARED))
    page.act("stop", "", "ann", {"scope": "model:gpt-5", "why": "runaway"})
    (item,) = page.items()
    assert item.cells == ("model:gpt-5", "runaway (ann)")
    page.act("lift", "model:gpt-5", "ann", {"why": "over"})
    assert page.items() == []
    assert page.detail("x") == ()
    with pytest.raises(BadSettings, match="expected all"):
        page.act("stop", "", "ann", {"scope": "gpt-5", "why": "x"})


def test_a_store_in_the_gateways_own_memory_cannot_be_shown():
    """The page says what to set."""
    configured = settings.parse('[limits]\nstore = "memory"\n')
    assert "limits.store" in Spend(configured).about
    assert "limits.store" in Switches(configured).about
    assert Switches(configured).items() == []
    assert Spend(configured).items() == []
