"""Where text stands in a picture: from the detector's map of probabilities to rotated rectangles around lines.

Differentiable binarisation (Liao et al., AAAI 2020): the network marks the core of each line of text; what hangs
together above a threshold is a line, its smallest rectangle is grown by as much as training shrank it. NumPy alone: no
library with a parser of its own meets what a picture says. A map with more pieces than any page has is refused.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bartizan.core.errors import BadArtifact

Floats = NDArray[np.float32]
THRESHOLD = 0.3
"""Probability from which a pixel belongs to text."""
SURE = 0.5
"""Mean probability from which a region is one."""
GROWN = 1.6
"""How far the core of a line is grown, as a share of its area over its perimeter: what the network was trained with."""
LEAST = 3.0
"""Pixels of the map: what is thinner cannot be read."""
MOST_RUNS = 60_000
"""Runs of pixels above the threshold in a map; a page full of small print has about 20,000."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rotated rectangle in pixels: its centre, half its length along the text, half its height, its angle.

    `angle` is that of the reading direction in radians, clockwise as pictures are drawn, in (-pi/4, 3 pi/4].
    """

    x: float
    y: float
    along: float
    across: float
    angle: float

    def box(self) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of what it covers."""
        cos, sin = abs(math.cos(self.angle)), abs(math.sin(self.angle))
        wide, high = self.along * cos + self.across * sin, self.along * sin + self.across * cos
        return round(self.x - wide), round(self.y - high), round(self.x + wide), round(self.y + high)

    def scaled(self, by: float) -> "Region":
        """Return it in a picture `by` times as large."""
        return Region(self.x * by, self.y * by, self.along * by, self.across * by, self.angle)


@dataclass(frozen=True, slots=True)
class Line:
    """Words on one line, how sure their letters are on average (0..1), and where they stand in the picture."""

    words: str
    sure: float
    region: Region


def regions(probability: Floats) -> list[Region]:
    """Return where text is in a map (height, width) of probabilities, top to bottom. Raises BadArtifact."""
    rows, starts, ends = _runs(probability > THRESHOLD)
    if not len(rows):
        return []
    sums = np.concatenate([np.zeros(1), probability.ravel().cumsum(dtype=np.float64)])
    width = probability.shape[1]
    weight = sums[rows * width + ends] - sums[rows * width + starts]
    found = []
    piece = _pieces(rows, starts, ends)
    order = np.argsort(piece, kind="stable")
    for run in np.split(order, np.flatnonzero(np.diff(piece[order])) + 1):
        pixels = float((ends[run] - starts[run]).sum())
        if float(weight[run].sum()) / pixels < SURE:
            continue
        region = _around(rows[run], starts[run], ends[run])
        if region is not None:
            found.append(region)
    return sorted(found, key=lambda one: (one.y, one.x))


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return row, first column and end column of each run of marked pixels, in order."""
    edged = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    edged[:, 1:-1] = mask
    change = np.diff(edged, axis=1)
    rows, starts = np.nonzero(change == 1)
    ends = np.nonzero(change == -1)[1]
    if len(rows) > MOST_RUNS:
        raise BadArtifact(f"more than {MOST_RUNS} runs of pixels that look like text: expected a picture, not noise")
    return rows.astype(np.int64), starts.astype(np.int64), ends.astype(np.int64)


def _pieces(rows: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each run the number of the piece it belongs to: runs of neighbouring rows that touch hang together."""
    root = list(range(len(rows)))

    def top(one: int) -> int:
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    first = np.searchsorted(rows, np.arange(int(rows[-1]) + 2))
    for row in range(1, len(first) - 1):
        above, here, end = int(first[row - 1]), int(first[row]), int(first[row + 1])
        stop = here
        while above < stop and here < end:
            if ends[above] >= starts[here] and ends[here] >= starts[above]:  # corners touch too
                root[top(here)] = top(above)
            if ends[above] < ends[here]:
                above += 1
            else:
                here += 1
    return np.array([top(one) for one in range(len(root))], np.int64)


def _around(rows: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Region | None:
    """Return the smallest rectangle around the runs of one piece, grown; None for one too thin to be read."""
    first = np.flatnonzero(np.diff(rows, prepend=-1))  # the first run of each row: only its ends can be corners
    left, right = np.minimum.reduceat(starts, first), np.maximum.reduceat(ends, first)
    xs = np.concatenate([left, right, left, right]).astype(float)
    ys = np.concatenate([rows[first], rows[first], rows[first] + 1, rows[first] + 1]).astype(float)
    hull = _hull(xs, ys)
    edges = np.roll(hull, -1, axis=0) - hull
    angles = np.unique(np.mod(np.arctan2(edges[:, 1], edges[:, 0]), math.pi / 2).round(6))
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    us, vs = hull[:, 0] * cos + hull[:, 1] * sin, hull[:, 1] * cos - hull[:, 0] * sin
    wide, high = us.max(1) - us.min(1), vs.max(1) - vs.min(1)
    best = int(np.argmin(wide * high))
    along, across, angle = float(wide[best]) / 2, float(high[best]) / 2, float(angles[best])
    u, v = float(us[best].max() + us[best].min()) / 2, float(vs[best].max() + vs[best].min()) / 2
    x, y = u * math.cos(angle) - v * math.sin(angle), u * math.sin(angle) + v * math.cos(angle)
    if angle > math.pi / 4:  # in (0, pi/2): the other side of the rectangle is the nearer one to level
        along, across, angle = across, along, angle - math.pi / 2
    if across > 1.5 * along:  # a column: its text runs down
        along, across, angle = across, along, angle + math.pi / 2
    if 2 * min(along, across) < LEAST:
        return None
    grown = GROWN * along * across / (along + across)
    return Region(x, y, along + grown, across + grown, angle)


def _hull(xs: NDArray[np.float64], ys: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners of the convex hull (Andrew's monotone chain)."""
    points = np.unique(np.stack([xs, ys], 1), axis=0)
    half: list[list[tuple[float, float]]] = []
    for side in (points, points[::-1]):
        chain: list[tuple[float, float]] = []
        for x, y in side.tolist():
            while len(chain) > 1 and _turn(chain[-2], chain[-1], (x, y)) <= 0:
                chain.pop()
            chain.append((x, y))
        half.append(chain[:-1])
    return np.array(half[0] + half[1])


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
