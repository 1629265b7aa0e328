"""Pictures show what they are given, and hostile names stay text."""

import struct
import zlib

import numpy as np

from bartizan.lab.evasion.pictures import changed_columns, picture, png


def test_a_png_holds_the_pixels():
    """Read back by the format's own rules."""
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    data = png(pixels)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (2, 2)
    start = data.index(b"IDAT") + 4
    length = struct.unpack(">I", data[start - 8 : start - 4])[0]
    raw = zlib.decompress(data[start : start + length])
    assert raw == b"\x00" + bytes(range(6)) + b"\x00" + bytes(range(6, 12))


def test_each_kind_of_input_has_its_picture():
    """An image, a coloured one, a sound; a short row has none."""
    assert picture(np.zeros((1, 4, 4)), 0, 1).startswith("<img")
    assert picture(np.zeros((3, 4, 4)), 0, 1).startswith("<img")
    assert picture(np.zeros((4, 4)), 0, 1).startswith("<img")
    assert picture(np.sin(np.arange(800)), -1, 1).startswith("<svg")
    assert picture(np.zeros(5), 0, 1) == ""


def test_a_row_is_drawn_over_the_full_width_and_seen():
    """64 values are a line of steps, no 64 strokes without a length; of more values than pixels each stroke has one."""
    row = picture(np.linspace(0, 1, 64), 0, 1)
    assert 'd="M0 59.0 V59.0H4.1' in row
    assert 'V1.0H260.0"' in row
    assert "M0 30.0V31.0 M1 30.0V31.0" in picture(np.zeros(800), -1, 1)


def test_columns_that_changed_are_listed_by_size_and_names_are_escaped():
    """The largest change first; what stayed is left out."""
    html = changed_columns(np.array([1.0, 2, 3]), np.array([1.0, 2.5, 9]), ["a", "<b>", "c"])
    assert html.index("<td>c</td>") < html.index("&lt;b&gt;")
    assert "<td>a</td>" not in html
