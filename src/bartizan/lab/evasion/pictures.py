"""Shows inputs on a page: images as PNG, sounds as lines, rows as the columns that changed. No drawing library."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from html import escape

import numpy as np

from bartizan.lab.target import Array

_WIDTH, _HEIGHT = 260, 60


def picture(values: Array, low: float, high: float) -> str:
    """Return one input as HTML: an image for (h, w), (1|3, h, w); a line for (n,) above 32 values; else nothing."""
    shape = values.shape
    if len(shape) == 3 and shape[0] in (1, 3):
        return _image(np.moveaxis(values, 0, -1), low, high)
    if len(shape) == 2 and min(shape) > 1:
        return _image(values[..., None], low, high)
    flat = values.ravel()
    return _line(flat, low, high) if flat.size > 32 else ""


def changed_columns(before: Array, after: Array, names: Sequence[str] = (), most: int = 8) -> str:
    """Return the columns that changed most, as HTML: name, value before, value after."""
    one, two = before.ravel(), after.ravel()
    order = np.argsort(-np.abs(two - one))[:most]
    rows = []
    for i in order:
        if one[i] != two[i]:
            name = escape(names[i] if i < len(names) else f"column {i}")
            rows.append(f"<tr><td>{name}</td><td>{one[i]:.4g}</td><td>{two[i]:.4g}</td></tr>")
    return f"<table><tr><th>column</th><th>before</th><th>after</th></tr>{''.join(rows)}</table>"


def png(pixels: Array) -> bytes:
    """Return uint8 pixels (h, w, 1 or 3) as a PNG file (RFC 2083), 8 bits, no filter."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\x00" + pixels[row].tobytes() for row in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def _image(values: Array, low: float, high: float) -> str:
    scaled = np.clip((values - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8)
    data = base64.b64encode(png(np.ascontiguousarray(scaled))).decode()
    return f'<img alt="input" src="data:image/png;base64,{data}">'


def _line(values: Array, low: float, high: float) -> str:
    """The signal: each value as a step of the full width, or of many the smallest and largest under each pixel."""
    span = max(high - low, 1e-9)

    def y(value: float) -> float:
        return _HEIGHT - 1 - (value - low) / span * (_HEIGHT - 2)  # a line at the very edge would be cut in half

    if len(values) > _WIDTH:
        parts = np.array_split(values, _WIDTH)
        path = " ".join(f"M{i} {y(part.max()):.1f}V{y(part.min()) + 1:.1f}" for i, part in enumerate(parts))
    else:
        wide = _WIDTH / len(values)
        steps = " ".join(f"V{y(value):.1f}H{(i + 1) * wide:.1f}" for i, value in enumerate(values))
        path = f"M0 {y(values[0]):.1f} {steps}"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="input">'
        f'<path d="{path}" stroke="currentColor" fill="none"/></svg>'
    )
