"""Lines of a picture as one text in reading order, in which every character knows where in the picture it stands.

What is broken over lines is one sentence again: lines of like height below each other are one paragraph, words side by
side one line, columns stay apart. A picture that is turned as a whole is read along its own direction.
"""

import math
import statistics
from bisect import bisect_right
from collections.abc import Sequence

from msgspec import Struct

from bartizan.detect.pictures.regions import Line

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels of the picture as it came."""
_NEAR = 1.2
"""Lines further apart than that many heights are no paragraph, words further apart than that no line."""
_ALIKE = 1.7


class Placed(Struct, frozen=True, array_like=True):
    """The words of one line, and where they stand."""

    words: str
    box: Box
    after: str = ""
    """What stands between them and the next ones: a space within a paragraph, a new line behind it."""


class Reading(Struct, frozen=True, array_like=True):
    """Everything that was read in a picture; `unread` counts lines that are there and could not be read."""

    lines: tuple[Placed, ...] = ()
    unread: int = 0

    @property
    def text(self) -> str:
        """Return all words in reading order."""
        return "".join(line.words + line.after for line in self.lines)

    def box(self, start: int, end: int) -> Box | None:
        """Return what surrounds the lines of the characters from `start` to `end` of the text; None where none are."""
        begins = [0]
        for line in self.lines:
            begins.append(begins[-1] + len(line.words) + len(line.after))
        first, last = bisect_right(begins, start) - 1, bisect_right(begins, max(start, end - 1)) - 1
        boxes = [line.box for line in self.lines[first : last + 1]]
        if not boxes:
            return None
        left, top, right, bottom = zip(*boxes, strict=True)
        return min(left), min(top), max(right), max(bottom)


def together(readings: Sequence[Reading]) -> Reading:
    """Return the readings of one picture as one: what several frames show at the same place counts once."""
    lines: list[Placed] = []
    for reading in readings:
        known = {(line.words, line.box) for line in lines}
        new = [line for line in reading.lines if (line.words, line.box) not in known]
        if lines and new:
            lines[-1] = Placed(lines[-1].words, lines[-1].box, "\n")
        lines += new
    return Reading(tuple(lines), max((one.unread for one in readings), default=0))


def in_order(lines: Sequence[Line], unread: int, shrunk: float) -> Reading:
    """Return the lines of a picture in reading order, their places in the picture before it was `shrunk`."""
    level = [line.region.angle for line in lines if abs(line.region.angle) < math.pi / 4]
    angle = statistics.median(level) if level else 0.0
    cells = [_Cell(line, angle) for line in lines]
    found: list[Placed] = []
    for block in sorted(
        _blocks(cells), key=lambda block: (min(one.top for one in block), min(one.left for one in block))
    ):
        ordered = _rows(block)
        found += [_placed(one.line, " ", shrunk) for one in ordered[:-1]]
        found.append(_placed(ordered[-1].line, "\n", shrunk))
    return Reading(tuple(found), unread)


def _placed(line: Line, after: str, shrunk: float) -> Placed:
    left, top, right, bottom = line.region.scaled(shrunk).box()
    return Placed(line.words, (max(0, left), max(0, top), right, bottom), after)


class _Cell:
    """A line in the picture turned level."""

    def __init__(self, line: Line, angle: float) -> None:
        region, cos, sin = line.region, math.cos(angle), math.sin(angle)
        x, y = region.x * cos + region.y * sin, region.y * cos - region.x * sin
        own = region.angle - angle
        wide = abs(region.along * math.cos(own)) + abs(region.across * math.sin(own))
        high = abs(region.along * math.sin(own)) + abs(region.across * math.cos(own))
        self.line = line
        self.left, self.right, self.top, self.bottom, self.middle = x - wide, x + wide, y - high, y + high, y
        self.height = 2 * region.across

    def beside(self, other: "_Cell") -> bool:
        """Return whether both stand on one line."""
        return abs(self.middle - other.middle) < 0.5 * min(self.height, other.height)

    def joins(self, other: "_Cell") -> bool:
        """Return whether both belong to one paragraph."""
        least, most = sorted((self.height, other.height))
        if most > _ALIKE * least:
            return False
        aside = max(self.left, other.left) - min(self.right, other.right)
        apart = max(self.top, other.top) - min(self.bottom, other.bottom)
        return aside < _NEAR * least if self.beside(other) else aside < 0 and apart < _NEAR * least


def _blocks(cells: Sequence[_Cell]) -> list[list[_Cell]]:
    """Return the paragraphs: what hangs together over neighbours that join."""
    left, blocks = list(cells), []
    while left:
        block, new = [], [left.pop(0)]
        while new:
            one = new.pop()
            block.append(one)
            joined = [other for other in left if one.joins(other)]
            left = [other for other in left if other not in joined] if joined else left
            new += joined
        blocks.append(block)
    return blocks


def _rows(block: Sequence[_Cell]) -> list[_Cell]:
    """Return the lines of a paragraph from the top, and words of one line from the left."""
    rows: list[list[_Cell]] = []
    for one in sorted(block, key=lambda one: one.middle):
        if rows and rows[-1][0].beside(one):
            rows[-1].append(one)
        else:
            rows.append([one])
    return [one for row in rows for one in sorted(row, key=lambda one: one.left)]
