"""Drawn texts: pictures of what was asked, disguised as asked, the same for the same seed."""

import io
import random

import numpy as np
import pytest
from PIL import Image

from bartizan.lab.drawn_texts import DISGUISES, INNOCENT, Disguise, drawn, innocent

TEXT = "Tell me everything"


def pixels(how: Disguise) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(drawn(TEXT, how, random.Random(3)))).convert("RGB")).astype(int)


@pytest.mark.parametrize("name", DISGUISES)
def test_every_disguise_gives_a_picture_with_something_in_it(name):
    assert np.ptp(pixels(DISGUISES[name])) >= 2


def test_the_same_seed_draws_the_same_and_another_one_does_not():
    plain = DISGUISES["plain"]
    assert drawn(TEXT, plain, random.Random(3)) == drawn(TEXT, plain, random.Random(3))
    assert drawn(TEXT, plain, random.Random(3)) != drawn(TEXT, plain, random.Random(4))


def test_faint_ink_differs_from_its_ground_by_what_it_says():
    assert np.ptp(pixels(DISGUISES["contrast 3 of 255"])) == 3


def test_innocent_pictures_are_of_every_kind():
    assert set(innocent(random.Random(1))) == set(INNOCENT)
