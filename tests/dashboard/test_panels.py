"""Every panel of the product has the shape that the pages need."""

import pytest
from tests.dashboard.houses import Shelf

from bartizan.cli.panels import panels
from bartizan.core import settings
from bartizan.core.clock import StoppedClock

ALL = (*panels(settings.parse(""), StoppedClock()), Shelf())


@pytest.mark.parametrize("panel", ALL, ids=lambda panel: panel.name)
def test_a_panel_can_be_shown_and_its_actions_are_unambiguous(panel, tmp_path, monkeypatch):
    """A word for the address, headings for the cells, one action a name; what needs two people asks for no fields."""
    monkeypatch.chdir(tmp_path)
    assert panel.name.isidentifier()
    assert panel.title
    assert panel.about
    names = [action.name for action in panel.actions]
    assert len(names) == len(set(names))
    for action in panel.actions:
        assert action.fields or not action.new, action.name
        assert not (action.two_people and action.fields), action.name
        assert "why" not in {field.name for field in action.fields}
        assert {"csrf", "action", "item"}.isdisjoint(field.name for field in action.fields)
    for item in panel.items():
        assert len(item.cells) == len(panel.columns)
        assert set(item.actions) <= set(names)


def test_panels_have_different_names():
    """The address tells them apart."""
    assert len({panel.name for panel in ALL}) == len(ALL)
