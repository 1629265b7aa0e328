"""Rows that are files: pictures and sounds, one file a row, the class being the folder it lies in.

Pictures are decoded by Pillow with a bound on their size, WAV by the standard library; other sounds are admitted by
their bytes alone and said to be not decoded. The key of a picture is its difference hash (Krawetz 2013), that of a
sound the hash of its loudness over time: they survive re-encoding.
"""

import io
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from bartizan.data.frames import NO_KEY, Batch
from bartizan.data.manifest import Shard
from bartizan.data.records import DIGEST_BYTES

FILES_A_BATCH = 256
MOST_PIXELS = 50_000_000
_PICTURES = ("PNG", "JPEG", "BMP", "GIF")


def media_batches(folder: Path, form: str, shards: Sequence[Shard], skip: int) -> Iterator[Batch]:
    """Yield the files of a folder in batches, from batch number `skip` on."""
    import polars as pl

    for number, start in enumerate(range(0, len(shards), FILES_A_BATCH)):
        if number < skip:
            continue
        rows, keys = [], []
        part = shards[start : start + FILES_A_BATCH]
        for shard in part:
            row, key = _look(folder / shard.file, form)
            rows.append({"path": shard.file, "label": label_of(shard.file), "bytes": shard.bytes} | row)
            keys.append(key)
        digests = b"".join(bytes.fromhex(shard.sha256)[:DIGEST_BYTES] for shard in part)
        yield Batch("files", "", digests, pl.DataFrame(rows, infer_schema_length=None), keys=b"".join(keys))


def label_of(name: str) -> str:
    """Return the class of a file: the folder it lies in, empty at the top."""
    return PurePosixPath(name).parent.name


def _look(path: Path, form: str) -> tuple[dict[str, Any], bytes]:
    if form == "images":
        pixels = picture(path.read_bytes())
        if pixels is None:
            return {"decoded": False}, NO_KEY
        height, width, depth = pixels.shape
        about = {"width": width, "height": height, "channels": depth, "mean": float(pixels.mean())}
        return {"decoded": True} | about, difference_hash(pixels)
    samples, rate = sound(path.read_bytes())
    if samples is None:
        return {"decoded": False}, NO_KEY
    loudness = float(np.sqrt(np.mean(samples**2))) if samples.size else 0.0
    return {"decoded": True, "seconds": samples.size / rate, "rate": rate, "loudness": loudness}, _loudness_hash(
        samples
    )


def picture(data: bytes) -> npt.NDArray[np.uint8] | None:
    """Return the pixels (height, width, 1 or 3) of a picture, None when it cannot be decoded safely."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=_PICTURES) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            pixels = np.asarray(image.convert("L" if image.mode in ("1", "L", "I;16", "I") else "RGB"))
    except Exception:  # noqa: BLE001 - a decoder fed with hostile bytes fails in many ways; all mean "not decoded"
        return None
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def sound(data: bytes) -> tuple[npt.NDArray[np.float32] | None, int]:
    """Return the samples (mono, -1..1) and the rate of a WAV file; None when it is another format or damaged."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError):
        return None, 0
    if width not in (1, 2, 4) or rate <= 0 or channels < 1:
        return None, 0
    kind = {1: np.uint8, 2: np.int16, 4: np.int32}[width]
    raw = raw[: len(raw) - len(raw) % (width * channels)]
    middle, scale = (128.0, 128.0) if width == 1 else (0.0, float(1 << (8 * width - 1)))
    values = (np.frombuffer(raw, kind).astype(np.float64) - middle) / scale
    return values.reshape(-1, channels).mean(axis=1).astype(np.float32), rate


def difference_hash(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Return 64 bits: is each cell of a 9 by 8 grid darker than the one to its right."""
    grey = pixels.mean(axis=2)
    small = _grid(grey, 8, 9)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes()


def _grid(grey: npt.NDArray[np.floating[Any]], rows: int, columns: int) -> npt.NDArray[np.floating[Any]]:
    """Return the means of the cells of a grid; a picture smaller than the grid is repeated first."""
    height, width = grey.shape
    grey = np.repeat(np.repeat(grey, -(-rows // height), 0), -(-columns // width), 1)
    down = np.add.reduceat(grey, np.arange(rows) * grey.shape[0] // rows, axis=0)
    cells = np.add.reduceat(down, np.arange(columns) * grey.shape[1] // columns, axis=1)
    tall = np.diff(np.append(np.arange(rows) * grey.shape[0] // rows, grey.shape[0]))
    wide = np.diff(np.append(np.arange(columns) * grey.shape[1] // columns, grey.shape[1]))
    means: npt.NDArray[np.floating[Any]] = cells / np.outer(tall, wide)
    return means


def _loudness_hash(samples: npt.NDArray[np.float32]) -> bytes:
    if samples.size < 65:
        return NO_KEY
    cut = np.add.reduceat(samples.astype(np.float64) ** 2, np.arange(65) * samples.size // 65)
    return np.packbits(cut[1:] > cut[:-1]).tobytes()
