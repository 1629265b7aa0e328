"""How much of a prediction leaves: the top scores, fewer digits, labels only, scores with keyed noise, or nothing true.

The noise is a fixed smooth function of the input that only the holder of the key can compute. Asking again gives the
same answer, and asking nearby gives nearly the same, so averaging gains nothing; the label never changes. It hides the
exact function, not the labels: who only needs labels pays the label-only price, which no control of outputs can raise.

Misinformation (after Kariyappa and Qureshi, CVPR 2020) is for inputs unlike honest ones, and only for them: they get
the model's own scores in an order that has nothing to do with the model, which again is a fixed smooth function of the
input. Who taught a copy with them taught it nothing. An honest stranger gets a wrong answer, so it is off by default.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

WAVES = 48
"""Cosines a class: enough that their sum is near normal over inputs."""
SPREAD = 4.0
"""How many radians the phase moves over a typical distance between inputs: less averages out nearby, more is rough."""


@dataclass(frozen=True)
class Release:
    """What is done to scores before they leave, in this order: noise, top, digits, label. Defaults change nothing.

    `noise` is the deviation added to log-scores; `centre` and `scale` (d,) are the mean and deviation of honest inputs.
    """

    noise: float = 0.0
    key: bytes = b""
    centre: np.ndarray | None = None
    scale: np.ndarray | None = None
    top: int = 0
    """Only the highest this many scores leave; 0: all."""
    digits: int = -1
    """Digits after the point; -1: all."""
    labels_only: bool = False
    mislead: bool = False
    """Whether inputs unlike honest ones are answered by the key instead of the model; who asks says which they are."""

    def __post_init__(self) -> None:
        """Refuse noise without a secret to derive it from."""
        if self.noise < 0 or self.top < 0 or self.digits < -1:
            raise ValueError(f"{self}: expected noise >= 0, top >= 0, digits >= -1")
        if (self.noise or self.mislead) and (len(self.key) < 16 or self.centre is None or self.scale is None):
            raise ValueError(
                "noise and misinformation need a key of at least 16 bytes, and the centre and scale of honest inputs"
            )

    def apply(self, x: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Return what leaves for `scores` (n, classes), given for inputs `x` (n, d). The top label is always kept."""
        label = scores.argmax(axis=1)
        out = self._noisy(x.reshape(len(x), -1), scores) if self.noise else scores.astype(np.float64)
        if self.labels_only:
            return np.asarray(np.eye(scores.shape[1])[label])
        out = _with_top(out, label)
        if self.top:
            least = np.sort(out, axis=1)[:, -min(self.top, out.shape[1])]
            out = np.where(out >= least[:, None], out, 0.0)
        return _rounded(out, label, self.digits) if self.digits >= 0 else out

    def unrelated(self, x: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Return `scores` (n, classes) with each row in an order that the key draws from its input in `x` (n, d)."""
        out, order = np.empty(scores.shape, np.float64), np.argsort(self._moves(x.reshape(len(x), -1), scores.shape[1]))
        np.put_along_axis(out, order, np.sort(scores, axis=1), axis=1)
        return out

    @cached_property
    def _waves(self) -> tuple[np.ndarray, np.ndarray]:
        """Return directions (d, classes of 64 at most, waves) and phases, all derived from the key."""
        scale = np.asarray(self.scale)
        draw = np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(b"release:" + self.key).digest())))
        directions = draw.normal(size=(len(scale), 64 * WAVES)) * SPREAD / np.sqrt(2 * len(scale))
        return directions, draw.uniform(0, 2 * np.pi, 64 * WAVES)

    def _moves(self, x: np.ndarray, classes: int) -> np.ndarray:
        """Return a smooth function of the input for each class (n, classes), of mean 0 and deviation 1 over inputs."""
        directions, phases = self._waves
        columns: slice | np.ndarray = slice(0, classes * WAVES)  # a view: copying columns costs more than the product
        if classes * WAVES > len(phases):
            columns = np.arange(classes * WAVES) % len(phases)
        unit = (x - self.centre) / np.maximum(np.asarray(self.scale), 1e-9)
        waves = np.cos(unit @ directions[:, columns] + phases[columns]).reshape(len(x), classes, WAVES)
        return np.asarray(np.sqrt(2 / WAVES) * waves.sum(axis=2))

    def _noisy(self, x: np.ndarray, scores: np.ndarray) -> np.ndarray:
        logs = np.log(np.maximum(scores, 1e-12)) + self.noise * self._moves(x, scores.shape[1])
        odds = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _with_top(scores: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return scores whose highest is at `label`: where another is higher, the two change places."""
    rows = np.arange(len(scores))
    out = scores.copy()
    highest = out.argmax(axis=1)
    out[rows, highest], out[rows, label] = scores[rows, label], scores[rows, highest]
    return out


def _rounded(scores: np.ndarray, label: np.ndarray, digits: int) -> np.ndarray:
    """Round, the label's score to at least one unit; where others come out equal, take one unit from them."""
    out = np.round(scores, digits)
    unit, rows = 10.0**-digits, np.arange(len(out))
    out[rows, label] = np.maximum(out[rows, label], unit)
    own = out[rows, label][:, None]
    other = np.arange(out.shape[1]) != label[:, None]
    return np.asarray(np.where(other & (out >= own), own - unit, out))
