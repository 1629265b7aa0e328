"""The page of data sets: flagged rows as pictures, two people for what is critical, and the store afterwards."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from bartizan.cli.main import main
from bartizan.cli.panels.datasets import DataSets, as_png
from bartizan.core import settings
from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadRequest, BadSettings, Refused
from bartizan.lab.poisoning.pictures import Blended


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page over a folder in which a poisoned set was held."""
    monkeypatch.chdir(tmp_path)
    digits = load_digits()
    pictures = (digits.images * 15.9).astype(np.uint8)[..., None]
    planted = Blended().poison(pictures, digits.target.astype(np.int64), 0.02, 4, np.random.default_rng(0))
    np.savez(tmp_path / "d.npz", x=planted.pictures, y=planted.labels)
    assert main(["data", "admit", "d.npz", "--source", "crowd", "--label", "y"]) == 1
    return DataSets(settings.parse(""), StoppedClock())


def test_two_people_look_at_the_flagged_rows_and_release_the_others(page):
    """The same person twice, and two people who want different things, release nothing."""
    (item,) = page.items()
    assert (item.id, item.tone, item.critical) == ("held:d", "warn", True)
    flagged = int(re.search(r"(\d+) flagged, 0 of 2 people", item.cells[3])[1])
    assert 36 <= flagged <= 36 + 18  # those planted, and the few honest ones whose label is doubted
    parts = page.detail("held:d")
    assert "pattern" in parts[0].text
    assert sum(part.image.startswith("data:image/png") for part in parts) == 24
    assert page.act("clean", "held:d", "ann", {"why": "looked"}) == "recorded; 1 more to approve the same"
    assert any(part.text == "ann: without the flagged rows" for part in page.detail("held:d"))
    for who, action in (("ann", "clean"), ("bob", "all")):
        with pytest.raises(Refused):
            page.act(action, "held:d", who, {"why": "looked"})
    assert page.act("clean", "held:d", "bob", {"why": "looked"}) == f"d v1 is released: {1797 - flagged} rows"
    (item,) = page.items()
    assert (item.id, item.tone, item.actions) == ("d v1", "good", ())
    assert ("source", "crowd") in page.detail("d v1")[0].rows
    with pytest.raises(BadRequest, match="nothing of it waits"):
        page.act("reject", "d v1", "ann", {"why": "x"})


def test_what_is_rejected_is_gone(page):
    """And cannot be released any more."""
    assert "rejected" in page.act("reject", "held:d", "ann", {"why": "poisoned"})
    assert page.items() == []
    with pytest.raises(BadSettings, match="nothing waits"):
        page.act("all", "held:d", "bob", {"why": "x"})


def test_an_installation_without_data_has_an_empty_page(tmp_path, monkeypatch):
    """Looking at it makes no key and no folder."""
    monkeypatch.chdir(tmp_path)
    assert DataSets(settings.parse(""), StoppedClock()).items() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("depth", [1, 3])
def test_a_small_picture_is_enlarged_and_keeps_its_colours(depth):
    """Two by three pixels, grey and coloured."""
    pixels = np.arange(6 * depth, dtype=np.uint8).reshape(2, 3, depth)
    with Image.open(io.BytesIO(base64.b64decode(as_png(pixels).partition(",")[2]))) as image:
        shown = np.asarray(image).reshape(image.height, image.width, depth)
    assert shown.shape[1] >= 96
    step = shown.shape[1] // 3
    assert (shown[::step, ::step] == pixels).all()
