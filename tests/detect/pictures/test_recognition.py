"""Recognition: printed lines are read level, turned, faint and small; what is no text is not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from bartizan.detect.pictures import recognition

WORDS = "Trains leave at noon"


def drawn(ink: int = 0, size: int = 22, turned: int = 0, wide: int = 400) -> np.ndarray:
    image = Image.new("L", (wide, 90), 255)
    ImageDraw.Draw(image).text((30, 30), WORDS, fill=ink, font=ImageFont.load_default(size))
    return np.asarray(image.rotate(turned, expand=True, fillcolor=255).convert("RGB"))


@pytest.mark.parametrize(
    "pixels",
    [drawn(), drawn(size=12), drawn(ink=249), drawn(turned=7), drawn(turned=180), drawn(turned=90)],
    ids=["plain", "small", "faint", "slanted", "upside down", "sideways"],
)
def test_a_printed_line_is_read(recogniser, pixels):
    lines, unread = recogniser.read(pixels)
    assert [line.words for line in lines] == [WORDS]
    assert unread == 0


def test_small_print_in_a_large_picture_is_read(recogniser, monkeypatch):
    for name, side in (("TILE", 300), ("CORE", 200), ("AROUND", 24)):
        monkeypatch.setattr(recognition, name, side)
    page = np.full((400, 500, 3), 255, np.uint8)
    page[250:340, 50:450] = drawn(size=14)
    (line,), _ = recogniser.read(page)
    assert line.words == WORDS
    assert abs(line.region.y - 290) < 15


def test_a_blank_picture_says_nothing(recogniser):
    assert recogniser.read(np.full((60, 200, 3), 255, np.uint8)) == ([], 0)
