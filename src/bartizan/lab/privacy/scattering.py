"""Features of an image that no data was used to choose: the scattering transform (Bruna and Mallat 2013).

Differentially private training pays for every weight it fits, so the layers that can be written down beforehand should
be (Tramer and Boneh 2021): two rounds of oriented Morlet wavelets, each followed by a modulus, averaged over small
windows and normalised within the image. Nothing is learnt, so nothing leaks and no budget is spent.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

SCALES, ANGLES = 2, 8
WINDOW = 2**SCALES
"""Side of the squares that are averaged to one number."""
CHANNELS = 1 + SCALES * ANGLES + ANGLES * ANGLES * SCALES * (SCALES - 1) // 2
_GROUP = 3
"""Channels that are normalised together."""
_PAD = 6
_ROWS = 250

Progress = Callable[[str, int, int], None]


def scattered(images: np.ndarray, progress: Progress = lambda what, done, total: None) -> np.ndarray:
    """Return float32 features (n, 81 * (h // 4) * (w // 4)) of grey `images` (n, h, w) with values in 0..1.

    Height and width must be multiples of 4 and at least 8. Raises ValueError.
    """
    if images.ndim != 3 or any(side % WINDOW or side < 2 * WINDOW for side in images.shape[1:]):
        raise ValueError(
            f"scattered: images {images.shape}: expected (n, h, w) with h and w multiples of 4, at least 8"
        )
    height, width = (side + 2 * _PAD for side in images.shape[1:])
    filters = {
        (scale, angle): _morlet(height, width, scale, angle) for scale in range(SCALES) for angle in range(ANGLES)
    }
    out = np.empty((len(images), CHANNELS * (images.shape[1] // WINDOW) * (images.shape[2] // WINDOW)), np.float32)
    for start in range(0, len(images), _ROWS):
        progress("scattering", start, len(images))
        block = torch.as_tensor(images[start : start + _ROWS], dtype=torch.float32)
        channels = _channels(block, filters)
        groups = channels.reshape(len(block), CHANNELS // _GROUP, -1)
        spread = groups.std(dim=2, unbiased=False, keepdim=True)
        normal = (groups - groups.mean(dim=2, keepdim=True)) / (spread + 1e-5)
        out[start : start + len(block)] = normal.reshape(len(block), -1).numpy()
    progress("scattering", len(images), len(images))
    return out


def _channels(block: Tensor, filters: dict[tuple[int, int], Tensor]) -> Tensor:
    """Return (n, 81, h / 4, w / 4): the averages of the image, of 16 wavelets' moduli and of 64 pairs'."""
    padded = torch.nn.functional.pad(block[:, None], (_PAD,) * 4, mode="reflect")[:, 0]
    spectrum = torch.fft.fft2(padded)
    means = [_averaged(padded[:, None])]
    for scale in range(SCALES):
        bank = torch.stack([filters[scale, angle] for angle in range(ANGLES)])
        first = torch.fft.ifft2(spectrum[:, None] * bank).abs()
        means.append(_averaged(first))
        for coarser in range(scale + 1, SCALES):
            again = torch.fft.fft2(first)
            turned = (filters[coarser, angle] for angle in range(ANGLES))
            means += [_averaged(torch.fft.ifft2(again * one).abs()) for one in turned]
    return torch.cat(means, dim=1)


def _averaged(maps: Tensor) -> Tensor:
    """Return Gaussian averages of (n, c, h, w) around the middle of every window, the padding cut off."""
    rows, columns = (_windows(side) for side in maps.shape[2:])
    return rows @ maps @ columns.T


@functools.cache
def _windows(side: int) -> Tensor:
    """Return the weights (windows, side) of each window's average along one side, padding included."""
    middles = torch.arange(_PAD + (WINDOW - 1) / 2, side - _PAD, WINDOW)[:, None]
    weights = torch.exp(-((torch.arange(side) - middles) ** 2) / (2 * (0.8 * 2 ** (SCALES - 1)) ** 2))
    return weights / weights.sum(dim=1, keepdim=True)


def _morlet(height: int, width: int, scale: int, angle: int) -> Tensor:
    """Return the spectrum (height, width) of a Morlet wavelet: a plane wave in a Gaussian, with zero mean."""
    turn = math.pi * angle / ANGLES
    y = torch.arange(height, dtype=torch.float64).add(height // 2).remainder(height).sub(height // 2)[:, None]
    x = torch.arange(width, dtype=torch.float64).add(width // 2).remainder(width).sub(width // 2)[None, :]
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    deviation, slant, frequency = 0.8 * 2**scale, 4 / ANGLES, 0.75 * math.pi / 2**scale
    window = torch.exp(-(along**2 + (slant * across) ** 2) / (2 * deviation**2))
    wave = window * torch.exp(1j * frequency * along)
    wavelet = wave - wave.sum() / window.sum() * window
    spectrum: Tensor = torch.fft.fft2(wavelet * slant / (2 * math.pi * deviation**2))
    return spectrum.to(torch.complex64)
