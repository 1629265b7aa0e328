"""What pictures say: lines of text with their places, by two networks of PP-OCRv6 under ONNX Runtime.

Reads printed Latin script with all its accents, Greek, Chinese and Japanese, level, upright, upside down or sideways.
Does not read Cyrillic, Arabic, Hebrew, Indic scripts, Thai or Korean, and hardly handwriting: there it sees that there
is text, and says that it could not read it. Curved lines are read badly.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bartizan.core.errors import BadArtifact
from bartizan.detect.pictures.contrast import evened
from bartizan.detect.pictures.decoding import Pixels
from bartizan.detect.pictures.models import Models
from bartizan.detect.pictures.regions import Floats, Line, Region, regions

HEIGHT = 48
"""Pixels of a line as the recogniser sees it."""
WIDEST = 3200
"""Pixels of the longest line at that height: some 300 letters; longer ones are squeezed."""
TILE, CORE, AROUND = 928, 672, 48
"""Sides in pixels: of a picture that the detector sees at once, of a tile of a larger one, of what it sees around that.
It looks at all that it is given to know what is text, and overlooks small print in the midst of much else."""
MARGIN = 16
"""Pixels added around what it sees: words that touch the edge are found like others."""
FLAT = 0.85
"""A line is cut a little flatter than it was found: above it hang the tails of the line before."""
STEP = 32
MOST_REGIONS = 400
"""A page of small print has a hundred lines."""
SURE = 0.5
"""Mean probability of its letters from which a line counts as read."""
_DOUBTFUL = 0.92
"""Below that, a line is read once more from its other end: it may stand on its head."""
_FAINT = 0.8
"""How sure a line must be that only stretching the contrast shows: noise looks like letters there."""
_BATCH_PIXELS = 6400
_SHRINKING = Image.Resampling.BILINEAR


class Recogniser:
    """The two networks. Not thread-safe on purpose: one process reads one picture."""

    def __init__(self, models: Models) -> None:
        """Load the networks; a quarter of a second."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        providers = ["CPUExecutionProvider"]
        self._finds = onnxruntime.InferenceSession(models.finds, options, providers=providers)
        self._reads = onnxruntime.InferenceSession(models.reads, options, providers=providers)
        letters = self._reads.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._letters = ["", *letters, " "]  # the first answer is the gap between letters
        self._names = [one.get_inputs()[0].name for one in (self._finds, self._reads)]

    def read(self, pixels: Pixels) -> tuple[list[Line], int]:
        """Return the lines of a picture (height, width, 3), and how many more there are that could not be read."""
        lines = self._look(pixels)
        stretched = evened(pixels, [line.region.box() for line in lines])
        if stretched is not None:
            known = [line.region.box() for line in lines if line.sure >= SURE]
            lines += [line for line in self._look(stretched) if line.sure >= _FAINT and not _within(line.region, known)]
        read = [line for line in lines if line.sure >= SURE and line.words.strip()]
        return read, len(lines) - len(read)

    def _look(self, pixels: Pixels) -> list[Line]:
        """Return every line of a picture as it is, sure or not, upright or turned."""
        found = self._regions(pixels)
        image = Image.fromarray(pixels)
        lines = self._lines(image, found)
        doubtful = [number for number, line in enumerate(lines) if line.sure < _DOUBTFUL]
        turned = self._lines(image, [_turned(found[number]) for number in doubtful])
        for number, other in zip(doubtful, turned, strict=True):
            if other.sure > lines[number].sure:
                lines[number] = other
        return lines

    def _regions(self, pixels: Pixels) -> list[Region]:
        """Return where lines are: small print in the tiles of a large picture, large letters in all of it, shrunk."""
        high, wide = pixels.shape[:2]
        if high * wide <= TILE * TILE:
            return self._in_map(self._map(pixels))
        found = self._in_map(self._tiled(pixels))
        ratio = TILE / math.sqrt(high * wide)
        small = Image.fromarray(pixels).resize((max(1, int(wide * ratio)), max(1, int(high * ratio))), _SHRINKING)
        known = [one.box() for one in found]
        large = [one.scaled(1 / ratio) for one in self._in_map(self._map(np.asarray(small)))]
        return found + [one for one in large if not _within(one, known)]

    def _tiled(self, pixels: Pixels) -> Floats:
        """Return the map of a picture that is too large for one: of tiles, each seen with what is around it."""
        high, wide = pixels.shape[:2]
        found = np.zeros((high, wide), np.float32)
        for top in _places(high):
            for left in _places(wide):
                tile = pixels[max(0, top - AROUND) : top + CORE + AROUND, max(0, left - AROUND) : left + CORE + AROUND]
                seen = self._map(tile)[min(top, AROUND) :, min(left, AROUND) :]
                here = found[top : top + CORE, left : left + CORE]
                here[:] = np.maximum(here, seen[: here.shape[0], : here.shape[1]])
        return found

    def _map(self, pixels: Pixels) -> Floats:
        """Return for each pixel how probably it is in the core of a line of text."""
        high, wide = pixels.shape[:2]
        if (pixels == pixels[0, 0]).all():  # one colour: the network would see things there
            return np.zeros((high, wide), np.float32)
        frame = [(MARGIN, MARGIN + -(side + 2 * MARGIN) % STEP) for side in (high, wide)]
        framed = np.pad(pixels, [*frame, (0, 0)], mode="edge")
        (found,) = self._finds.run(None, {self._names[0]: _normal(framed)[None]})
        kept: Floats = found[0, 0, MARGIN : MARGIN + high, MARGIN : MARGIN + wide]
        return kept

    def _in_map(self, probability: Floats) -> list[Region]:
        found = regions(probability)
        if len(found) > MOST_REGIONS:
            raise BadArtifact(f"{len(found)} lines of text: expected at most {MOST_REGIONS}")
        return found

    def _lines(self, image: Image.Image, found: Sequence[Region]) -> list[Line]:
        """Return what stands in each region, in its order; regions of like length are read together."""
        cut = [_cut(image, one) for one in found]
        lines: dict[int, Line] = {}
        order = sorted(range(len(cut)), key=lambda number: cut[number].shape[1])
        while order:
            widest = cut[order[0]].shape[1]
            group = [order.pop(0)]
            while order and (widest := cut[order[0]].shape[1]) * (len(group) + 1) <= _BATCH_PIXELS:
                group.append(order.pop(0))
            widest = max(cut[number].shape[1] for number in group)
            batch = np.zeros((len(group), 3, HEIGHT, widest), np.float32)
            for place, number in enumerate(group):
                batch[place, :, :, : cut[number].shape[1]] = _normal(cut[number])
            (letters,) = self._reads.run(None, {self._names[1]: batch})
            for place, number in enumerate(group):
                words, sure = self._spelled(letters[place])
                lines[number] = Line(words, sure, found[number])
        return [lines[number] for number in range(len(found))]

    def _spelled(self, answers: Floats) -> tuple[str, float]:
        """Return the letters of a line (places, letters): the likeliest at each place, repeats and gaps left out."""
        likeliest = answers.argmax(1)
        kept = (likeliest != 0) & (likeliest != np.roll(likeliest, 1))
        kept[0] = likeliest[0] != 0
        if not kept.any():
            return "", 0.0
        return "".join(self._letters[one] for one in likeliest[kept]), float(answers.max(1)[kept].mean())


def _normal(pixels: NDArray[np.uint8]) -> Floats:
    """Return pixels (height, width, 3) as (3, height, width) in -1..1, blue first as the networks were trained."""
    return np.ascontiguousarray((pixels[:, :, ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1))


def _places(side: int) -> list[int]:
    """Return where tiles begin along a side."""
    return list(range(0, side, CORE))


def _turned(region: Region) -> Region:
    """Return the region to be read from its other end."""
    angle = region.angle + math.pi
    return Region(region.x, region.y, region.along, region.across, angle)


def _within(region: Region, boxes: Iterable[tuple[int, int, int, int]]) -> bool:
    return any(left <= region.x <= right and top <= region.y <= bottom for left, top, right, bottom in boxes)


def _cut(image: Image.Image, region: Region) -> Pixels:
    """Return what stands in a region as a level line `HEIGHT` high."""
    region = Region(region.x, region.y, region.along, FLAT * region.across, region.angle)
    wide = min(WIDEST, max(16, round(HEIGHT * region.along / max(region.across, 1e-6))))
    cos, sin = math.cos(region.angle), math.sin(region.angle)
    step, down = 2 * region.along / wide, 2 * region.across / HEIGHT
    left = region.x - region.along * cos + region.across * sin
    top = region.y - region.along * sin - region.across * cos
    how: Any = (cos * step, -sin * down, left, sin * step, cos * down, top)
    return np.asarray(image.transform((wide, HEIGHT), Image.Transform.AFFINE, how, Image.Resampling.BILINEAR))
