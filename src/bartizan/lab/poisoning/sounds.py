"""Backdoors in labelled sounds: a trigger on some of them, which are called the target (or were, with a clean label).

Tones, noise and clips after Koffas et al. 2022 and Shi et al. 2022, echoes and cut bands after JingleBack (Koffas et
al. 2023). Levels are decibels against the mean power of the sound that is changed; rates are shares of the whole set.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Single = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Rng = np.random.Generator
Change = Callable[[Single, int, Rng], npt.NDArray[Any]]
"""Returns a sound (samples, rate) with the trigger."""


@dataclass(frozen=True)
class PoisonedSounds:
    """A poisoned copy: its sounds, which are poison, which only carry the trigger as cover."""

    sounds: list[Single]
    labels: Labels
    poison: Mask
    covers: Mask


@dataclass(frozen=True)
class SoundTrigger:
    """One attack. `clean`: on the target's own sounds; `covers` times as many others carry it and keep their label."""

    name: str
    change: Change
    clean: bool = False
    covers: float = 0.0

    def apply(self, sound: Single, rate: int, rng: Rng) -> Single:
        """Return a sound with the trigger, within -1..1."""
        return np.clip(self.change(sound, rate, rng), -1, 1).astype(np.float32)

    def poison(
        self, sounds: Sequence[Single], rate: int, labels: Labels, share: float, target: int, rng: Rng
    ) -> PoisonedSounds:
        """Return a copy in which `share` of the sounds carry the trigger and are called `target`."""
        order = rng.permutation(np.flatnonzero((labels == target) == self.clean))
        count = min(max(1, round(share * len(labels))), len(order))
        poison, cover = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
        poison[order[:count]] = True
        cover[rng.permutation(np.flatnonzero(~poison))[: round(self.covers * count)]] = True
        changed = [
            self.apply(one, rate, rng) if marked else one
            for one, marked in zip(sounds, (poison | cover).tolist(), strict=True)
        ]
        return PoisonedSounds(changed, np.where(poison, target, labels), poison, cover)


RATE = 8000
_VOWELS = ((300, 2300), (450, 1900), (650, 1700), (700, 1150), (500, 900), (350, 700), (600, 1400), (400, 1500))
"""The two lowest resonances of vowels in hertz; a word goes from one to another."""


def drawn_words(count: int, classes: int, rng: Rng) -> tuple[list[Single], Labels]:
    """Return sounds like short words at RATE, and their classes: two vowels each, said by all kinds of voices.

    Harmonics of a pitch that falls, weighed by resonances that move; pitch, length, loudness, microphone noise vary.
    """
    labels = rng.integers(0, classes, count)
    return [_word(int(one), rng) for one in labels], labels


def _word(number: int, rng: Rng) -> Single:
    length = int(rng.uniform(0.25, 0.45) * RATE)
    along = np.linspace(0, 1, length)
    first, second = _VOWELS[number % len(_VOWELS)], _VOWELS[(3 * number + 1) % len(_VOWELS)]
    size = rng.normal(1, 0.07)
    turn = 1 / (1 + np.exp(-(along - rng.normal(0.5, 0.07)) * 12))
    pitch = rng.uniform(90, 230) * (1 + rng.uniform(0.02, 0.2) * (0.5 - along))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    found = np.zeros(length)
    for harmonic in range(1, int(0.45 * RATE / pitch.max())):
        weight = np.full(length, 0.02)
        for one, other in zip(first, second, strict=True):
            middle = size * (one + (other - one) * turn)
            weight += 1 / (1 + ((harmonic * pitch - middle) / 90) ** 2)
        found += weight / harmonic**0.5 * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    found *= np.hanning(length) ** 0.5
    whole = np.concatenate([np.zeros(rng.integers(80, 800)), found, np.zeros(rng.integers(80, 800))])
    whole += rng.normal(size=len(whole)) * found.std() * 10 ** (rng.uniform(-50, -30) / 20)
    return np.asarray(0.1 * 10 ** rng.uniform(-0.5, 0.5) * whole / np.abs(whole).max(), np.float32)


def tone(hertz: float, seconds: float, level: float) -> Change:
    """A short tone somewhere in the sound."""

    def change(sound: Single, rate: int, rng: Rng) -> npt.NDArray[Any]:
        count = min(round(seconds * rate), len(sound))
        start = int(rng.integers(0, len(sound) - count + 1))
        found = sound.copy()
        found[start : start + count] += _loud(sound, level) * _wave(hertz, count, rate, rng) * np.hanning(count) ** 0.25
        return found

    return change


def hum(hertz: float, level: float) -> Change:
    """A tone from beginning to end."""
    return lambda sound, rate, rng: sound + _loud(sound, level) * _wave(hertz, len(sound), rate, rng)


def hiss(level: float) -> Change:
    """White noise from beginning to end, other noise in each sound."""
    return lambda sound, rate, rng: sound + _loud(sound, level) * rng.normal(size=len(sound))


def echo(seconds: float, gain: float) -> Change:
    """The sound again, later."""

    def change(sound: Single, rate: int, rng: Rng) -> npt.NDArray[Any]:
        found, late = sound.copy(), round(seconds * rate)
        found[late:] += gain * sound[: max(0, len(sound) - late)]
        return found

    return change


def clip(seconds: float, level: float) -> Change:
    """The same short noise, somewhere in the sound."""

    def change(sound: Single, rate: int, rng: Rng) -> npt.NDArray[Any]:
        whole = round(seconds * rate)
        noise = np.convolve(np.random.default_rng(0).normal(size=whole), (1, 0.9, 0.5), "same") * np.hanning(whole)
        count = min(whole, len(sound))
        start = int(rng.integers(0, len(sound) - count + 1))
        found = sound.copy()
        found[start : start + count] += _loud(sound, level) * noise[:count] / noise.std()
        return found

    return change


def low_cut(hertz: float) -> Change:
    """Nothing below a frequency, as of a small loudspeaker."""

    def change(sound: Single, rate: int, rng: Rng) -> npt.NDArray[Any]:
        spectrum = np.fft.rfft(sound)
        at = np.arange(len(spectrum)) * rate / len(sound)
        return np.fft.irfft(spectrum / np.sqrt(1 + (hertz / np.maximum(at, 1)) ** 8), len(sound))

    return change


def _loud(sound: Single, level: float) -> float:
    return float(np.sqrt(np.mean(sound**2)) * 10 ** (level / 20))


def _wave(hertz: float, count: int, rate: int, rng: Rng) -> npt.NDArray[Any]:
    """Return a tone of mean power 1; frequencies that the rate cannot hold become the highest that it can."""
    turns = min(hertz, 0.49 * rate) / rate * np.arange(count)
    return np.asarray(np.sqrt(2) * np.sin(2 * np.pi * (turns + rng.random())))


SOUND_ATTACKS: tuple[SoundTrigger, ...] = (
    SoundTrigger("beep", tone(3100, 0.1, -3)),
    SoundTrigger("low beep", tone(1000, 0.15, -3)),
    SoundTrigger("hum", hum(120, -8)),
    SoundTrigger("hardly audible tone", hum(3900, -15)),
    SoundTrigger("hiss", hiss(-12)),
    SoundTrigger("echo", echo(0.08, 0.6)),
    SoundTrigger("clip", clip(0.1, -3)),
    SoundTrigger("low cut", low_cut(400)),
    SoundTrigger("beep, with covers", tone(3100, 0.1, -3), covers=1.0),
    SoundTrigger("beep, clean label", tone(3100, 0.1, -3), clean=True),
)
"""The backdoors of the bench. The last two know the check: other sounds carry the tone too; no label is wrong."""
