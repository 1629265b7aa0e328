"""Hostile bytes to pixels, within limits: only formats that vision models take, nothing larger than asked for.

Size and format are known before a pixel is decoded. Several readings of one file are given where people and models may
see different ones: each of the first frames, and a picture with transparent parts on white, on black and without its
transparency. Not given: what only shows once a model's own code has shrunk the picture.
"""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from bartizan.core.errors import BadArtifact

Pixels = NDArray[np.uint8]
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
FRAMES = 4
"""Of something animated, that many frames are looked at, from the first; models are given the first or a few."""
MOST_PIXELS = 2048 * 2048
"""What is larger is shrunk to that: vision models shrink to less."""

_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    Image.DecompressionBombError,
)
"""What the decoders raise for broken files."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One reading of a picture: pixels (height, width, 3), and how many of the original make up one."""

    pixels: Pixels
    shrunk: float


def decoded(data: bytes, most_pixels: int) -> Iterator[Decoded]:
    """Yield the readings of a picture. Raises BadArtifact for what is no picture, or too large in pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # limits of ours come first, and what is broken is an error below
        try:
            yield from _decoded(data, most_pixels)
        except _BROKEN as error:
            raise BadArtifact(f"not a whole picture: {type(error).__name__}: {str(error)[:120]}") from error


def _decoded(data: bytes, most_pixels: int) -> Iterator[Decoded]:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise BadArtifact(f"begins with {data[:8].hex()}: expected {', '.join(FORMATS)}") from None
    wide, high = image.size
    if wide * high > most_pixels:
        raise BadArtifact(f"{wide} x {high} pixels: expected at most {most_pixels}")
    seen: list[Pixels] = []
    for number in range(min(FRAMES, int(getattr(image, "n_frames", 1)))):
        if number:
            image.seek(number)
        elif image.format == "JPEG":  # decoded at a fraction of its size where that is still large enough
            image.draft("RGB", _within(wide, high))
        for one in _flattened(image):
            if not any(np.array_equal(one, other) for other in seen):
                seen.append(one)
                yield Decoded(one, wide / one.shape[1])


def _within(wide: int, high: int) -> tuple[int, int]:
    ratio = min(1.0, (MOST_PIXELS / (wide * high)) ** 0.5)
    return max(1, round(wide * ratio)), max(1, round(high * ratio))


def _flattened(image: Image.Image) -> Iterator[Pixels]:
    """Yield a frame without transparency, in each way that shows something else."""
    if image.mode.startswith(("I", "F")):  # 16 bits and more: the upper eight
        deep = np.asarray(image, np.float64)
        top = max(255.0, 65535.0 if deep.max(initial=0) > 255 else 0.0)
        image = Image.fromarray(np.clip(deep / top * 255, 0, 255).astype(np.uint8))
    clear = "A" in image.getbands() or "transparency" in image.info
    flat = image.convert("RGBA" if clear else "RGB")
    flat = flat.resize(size, Image.Resampling.BOX) if (size := _within(*flat.size)) != flat.size else flat
    if not clear or flat.getchannel("A").getextrema() == (255, 255):
        yield np.asarray(flat.convert("RGB"))
        return
    for ground in ("white", "black"):
        below = Image.new("RGBA", flat.size, ground)
        yield np.asarray(Image.alpha_composite(below, flat).convert("RGB"))
    yield np.asarray(flat)[:, :, :3]
