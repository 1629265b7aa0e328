"""Backdoors in a set of labelled sounds: tones, hums, noise, echoes, cut bands that rows of one class share.

Each sound is described by what it holds of each frequency: on average, at its loudest, as a floor that never falls
silent, above its neighbours for a tenth of a second on end (tones), and by its cepstrum, where an echo is a peak at its
delay. In a few neighbouring numbers of these, whitened, rows that carry the same trigger end together (`carriers`),
and unlike honest varieties of a class their content says another one. That content is also looked at by itself, as a
picture of the sound. Not found: a clip of other sounds put anywhere, in fewer than about fifteen rows; a trigger that
changes no label and is no louder than what voices do by themselves.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from bartizan.core.errors import BadArtifact
from bartizan.data.checks.base import BUDGET, Checked, Labels, Mask, nothing, of_all, together
from bartizan.data.checks.carriers import Doubt, Group, carried, ending_together
from bartizan.data.checks.content import doubted, wrong_content
from bartizan.data.checks.features import convolved, grey

LEAST_ROWS = 200
SIDE = 32
"""Height and width of the picture of a sound."""
_FRAME, _HOP = 0.032, 0.016
"""Seconds: long enough to tell the harmonics of a voice apart."""
_TONE = 4
"""Frames that a tone lasts at least."""
_NEIGHBOURS = 5
_FLOOR, _LOUD = 0.1, 0.95
_FAINTEST = 1e-7
_NAMES = {
    "tone": "a tone at",
    "hum": "a hum at",
    "floor": "a floor at",
    "mean": "the same level at",
    "loudest": "the same peak at",
}
_ECHO = (0.002, 0.25)
"""Delays of echoes in seconds: shorter ones are the shape of a mouth."""
_PART, _LAGS, _WIDE_BANDS = 8, 16, 16
_KEPT, _RIDGE, _MOST = 0.9, 0.01, 50.0
Single = npt.NDArray[np.float32]
Matrix = npt.NDArray[Any]


def check_sounds(
    sounds: Sequence[Single],
    rate: int,
    labels: Labels,
    names: Sequence[str] = (),
    *,
    budget: float = BUDGET,
    seed: int = 0,
) -> Checked:
    """Return which sounds carry a trigger. `sounds` are samples (mono) at `rate` a second, labels 0..k-1 in `names`.

    The poison rate is not asked for: no class stands out, no row is flagged. Raises BadArtifact for numbers of sounds
    and labels that differ. Too few rows (under 200) or one class only: nothing can be said, nothing is flagged.
    """
    if len(sounds) != len(labels):
        raise BadArtifact(f"{len(sounds)} sounds and {len(labels)} labels: expected one label for each sound")
    if len(labels) < LEAST_ROWS or len(np.unique(labels)) < 2:
        return nothing("sound", len(labels))
    classes, rng = int(labels.max()) + 1, np.random.default_rng(seed)
    seen = convolved(grey(np.stack([spectrogram(one, rate) for one in sounds])), rng)

    def doubt(unseen: Mask) -> Mask:
        return doubted(seen, labels, classes, unseen, rng)

    shared = shared_sounds(described(sounds, rate), rate, labels, doubt, names)
    rows = np.flatnonzero(~shared.flagged)
    content = wrong_content(seen[rows], labels[rows], rng, budget, names=names)
    return together("sound", [shared, of_all(content, rows, len(labels))])


def shared_sounds(
    numbers: Mapping[str, Matrix], rate: int, labels: Labels, doubt: Doubt, names: Sequence[str] = ()
) -> Checked:
    """Flag rows of one class that share a tone, a floor, an echo or a cut band; `numbers` are what `described` says."""
    groups: list[Group] = []
    for name, values in numbers.items():
        left = values.copy()
        for one in np.unique(labels):
            left[labels == one] -= np.median(left[labels == one], axis=0)
        # Echoes are narrow: their parts need not overlap.
        width, step = (_LAGS, _LAGS) if name == "echo" else (_PART, _PART // 2)
        for at in range(0, left.shape[1] - width + 1, step):
            part = left[:, at : at + width]
            for group in ending_together(_whitened(part)):
                apart = part[group.rows].mean(axis=0) / (part.std(axis=0) + 1e-9)
                groups.append(replace(group, what=_said(name, at + int(np.abs(apart).argmax()), rate)))
        if name == "floor":
            # Hiss is everywhere: the floor is looked at as a whole too.
            starts = np.arange(_WIDE_BANDS) * left.shape[1] // _WIDE_BANDS
            whole = ending_together(_whitened(np.add.reduceat(left, starts, axis=1)))
            groups += [replace(group, what="a noise that never falls silent") for group in whole]
    # However faint: hiss and hums fade into what microphones do.
    return carried(groups, labels, doubt, names, least=0.0)


def _said(name: str, at: int, rate: int) -> str:
    if name == "echo":
        return f"an echo after {1000 * (_ECHO[0] + at / rate):.0f} ms"
    hertz = at * rate / _samples(_FRAME, rate)
    about = f"{hertz / 1000:.1f} kHz" if hertz >= 1000 else f"{hertz:.0f} Hz"
    return f"{_NAMES[name]} {about}"


def described(sounds: Sequence[Single], rate: int) -> dict[str, Single]:
    """Return numbers (n, d) for each of _NAMES by frequency, in decibels against the mean power, and for echoes."""
    rows = [_described(one, rate) for one in sounds]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _described(sound: Single, rate: int) -> dict[str, Single]:
    power = _power(sound, rate)
    mean = float(power.mean()) + 1e-12
    level = 10 * np.log10(power / mean + _FAINTEST)
    around = np.pad(level, ((0, 0), (_NEIGHBOURS, _NEIGHBOURS)), "reflect")
    above = (
        level - np.partition(sliding_window_view(around, 2 * _NEIGHBOURS + 1, axis=1), _NEIGHBOURS)[..., _NEIGHBOURS]
    )
    lasting = sliding_window_view(above, min(_TONE, len(above)), axis=0).min(axis=-1)
    found = {
        "tone": lasting.max(axis=0),
        "hum": np.quantile(above, _FLOOR, axis=0),
        "floor": np.quantile(level, _FLOOR, axis=0),
        "mean": 10 * np.log10(power.mean(axis=0) / mean + _FAINTEST),
        "loudest": np.quantile(level, _LOUD, axis=0),
        "echo": _echoes(sound, rate),
    }
    return {name: values.astype(np.float32) for name, values in found.items()}


def _echoes(sound: Single, rate: int) -> Matrix:
    """Return the power cepstrum (Bogert, Healy and Tukey 1963) of a whole sound at the delays of _ECHO."""
    first, last = (_samples(one, rate) for one in _ECHO)
    size = 1 << max(len(sound) - 1, 2 * last).bit_length()
    power = np.abs(np.fft.rfft(sound, size)) ** 2
    return np.asarray(np.fft.irfft(np.log(power + 1e-6 * power.mean() + 1e-12))[first:last])


def _power(sound: Single, rate: int) -> Matrix:
    """Return the power (frames, frequencies) in overlapping frames; silence fills a sound that is too short."""
    frame, hop = _samples(_FRAME, rate), _samples(_HOP, rate)
    whole = np.pad(sound, (0, max(0, frame + 3 * hop - len(sound))))
    frames = sliding_window_view(whole, frame)[::hop] * np.hanning(frame).astype(np.float32)
    return np.asarray(np.abs(np.fft.rfft(frames, axis=1)) ** 2)


def _samples(seconds: float, rate: int) -> int:
    return max(8, round(seconds * rate))


def spectrogram(sound: Single, rate: int) -> npt.NDArray[np.uint8]:
    """Return a sound as a picture (SIDE, SIDE, 1): low frequencies below, one level is a third of a decibel."""
    power = _power(sound, rate)
    count = power.shape[1]
    low = np.arange(SIDE // 2)
    high = np.round(np.geomspace(SIDE // 2, count, SIDE // 2 + 1)).astype(int)[:-1]
    starts = np.maximum.accumulate(np.minimum(np.concatenate([low, high]), count - 1))
    bands = np.add.reduceat(power, starts, axis=1) / np.maximum(np.diff(np.append(starts, count)), 1)
    level = 10 * np.log10(bands / (power.mean() + 1e-12) + 1e-6)
    cut = np.linspace(0, len(level), SIDE + 1).astype(int)
    kept = [
        level[min(start, len(level) - 1) : max(end, start + 1)].mean(axis=0) for start, end in itertools.pairwise(cut)
    ]
    return np.asarray(np.clip((np.array(kept).T[::-1, :, None] + 60) * 3, 0, 255), np.uint8)


def _whitened(part: Matrix) -> Matrix:
    """Return numbers (n, d) that vary alike in every direction, by most of the rows: the farthest do not count."""
    scaled = np.clip(part / (1.4826 * np.median(np.abs(part), axis=0) + 1e-6), -_MOST, _MOST)
    lengths = (scaled**2).sum(axis=1)
    near = scaled[lengths <= np.quantile(lengths, _KEPT)]
    values, vectors = np.linalg.eigh((near.T @ near).astype(np.float64) / len(near))
    values = np.maximum(values, 0)
    return np.asarray(scaled @ (vectors / np.sqrt(values + _RIDGE * values.mean() + 1e-9)).astype(np.float32))
