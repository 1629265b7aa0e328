"""Layout: lines become one text in reading order, and its characters know their places."""

import math

from bartizan.detect.pictures.layout import Placed, Reading, in_order, together
from bartizan.detect.pictures.regions import Line, Region


def line(words: str, left: float, top: float, high: float = 20) -> Line:
    wide = len(words) * 10
    return Line(words, 0.99, Region(left + wide / 2, top + high / 2, wide / 2, high / 2, 0.0))


def test_a_sentence_broken_over_lines_is_whole_again():
    found = in_order([line("over lines", 10, 34), line("A sentence broken", 10, 10)], 0, 1.0)
    assert found.text == "A sentence broken over lines\n"


def test_words_side_by_side_are_one_line_and_columns_stay_apart():
    cells = [line("right one", 400, 10), line("right two", 400, 34), line("left", 10, 10), line("one", 60, 11)]
    assert in_order(cells, 0, 1.0).text == "left one\nright one right two\n"


def test_a_heading_is_no_part_of_the_paragraph_below():
    assert in_order([line("Heading", 10, 0, 60), line("text", 10, 64)], 0, 1.0).text == "Heading\ntext\n"


def test_a_turned_page_is_read_along_its_own_direction():
    angle = 0.2
    lines = []
    for number, words in enumerate(("first line of it", "second line of it", "third line of it")):
        x, y = 200.0, 100.0 + 24 * number
        turned = Region(
            x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle), 80, 10, angle
        )
        lines.append(Line(words, 0.9, turned))
    assert in_order(lines[::-1], 0, 1.0).text == "first line of it second line of it third line of it\n"


def test_characters_know_where_they_stand_in_the_picture_as_it_came():
    found = in_order([line("first", 10, 10), line("second", 10, 34)], 0, 2.0)
    at = found.text.index("second")
    assert found.box(at, at + 6) == (20, 68, 140, 108)
    assert found.box(0, len(found.text)) == (20, 20, 140, 108)
    assert Reading().box(0, 1) is None


def test_what_several_frames_show_counts_once():
    one = Reading((Placed("same", (0, 0, 9, 9), "\n"),), 1)
    two = Reading((Placed("same", (0, 0, 9, 9), " "), Placed("new", (0, 9, 9, 18), "\n")), 0)
    assert together([one, two]) == Reading((*one.lines, two.lines[1]), 1)
    assert together([]) == Reading()
