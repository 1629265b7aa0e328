"""What may be done to vectors of texts before they are stored, so that less of the text comes back: each has a price.

A defence is public; its key and its randomness are not. `applied` is what is stored, `settled` what an attacker who
knows everything but key and randomness can do to vectors of his own to come as near as possible.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bartizan.lab.target import Array
from bartizan.lab.targets.encoders import unit


class Defence(Protocol):
    """Changes vectors (n, d) of length 1 before they are stored."""

    @property
    def name(self) -> str:
        """Return what a report calls it."""
        ...

    def applied(self, vectors: Array, seed: int) -> Array:
        """Return what is stored (n, k); `seed` decides the randomness, which nobody else knows."""
        ...

    def settled(self, vectors: Array) -> Array:
        """Return what is left without key and randomness (n, k): how an attacker makes guesses comparable."""
        ...

    def asked(self, vectors: Array) -> Array:
        """Return how the owner turns vectors of queries (n, d) before searching (n, k)."""
        ...


@dataclass(frozen=True)
class Plain:
    """Vectors as they come."""

    name: str = "none"

    def applied(self, vectors: Array, seed: int) -> Array:
        """Return them unchanged."""
        return vectors

    def settled(self, vectors: Array) -> Array:
        """Return them unchanged."""
        return vectors

    def asked(self, vectors: Array) -> Array:
        """Return what is left without randomness: a query need not be hidden."""
        return self.settled(vectors)


@dataclass(frozen=True)
class Noise(Plain):
    """Gaussian noise of a length of `size` times that of the vector (Morris et al. 2023 use such noise)."""

    name: str = "noise"
    size: float = 0.5

    def applied(self, vectors: Array, seed: int) -> Array:
        """Return noisy vectors of length 1."""
        draw = np.random.default_rng(seed)
        return unit(vectors + draw.normal(0, self.size / np.sqrt(vectors.shape[1]), vectors.shape))


@dataclass(frozen=True)
class MetricPrivacy(Plain):
    """Noise with density ∝ exp(-epsilon · length): d_X-privacy (Feyisetan et al. 2020).

    Whoever sees the stored vector cannot tell two texts at distance r apart better than by a factor exp(epsilon · r).
    """

    name: str = "metric DP"
    epsilon: float = 400.0
    """Per unit of distance; the mean length of the noise is width / epsilon."""

    def applied(self, vectors: Array, seed: int) -> Array:
        """Return noisy vectors of length 1; scaling afterwards costs no privacy."""
        draw, width = np.random.default_rng(seed), vectors.shape[1]
        way = unit(np.asarray(draw.normal(size=vectors.shape)))
        return unit(vectors + way * draw.gamma(width, 1 / self.epsilon, (len(vectors), 1)))


@dataclass(frozen=True)
class Whole(Plain):
    """Whole numbers of eight bits, one scale for all."""

    name: str = "int8"

    def applied(self, vectors: Array, seed: int) -> Array:
        """Return the numbers that the whole ones stand for."""
        return self.settled(vectors)

    def settled(self, vectors: Array) -> Array:
        """Return the same: nothing is secret."""
        scale = 127 / np.abs(vectors).max(axis=1, keepdims=True)
        return unit(np.rint(vectors * scale))


@dataclass(frozen=True)
class Signs(Plain):
    """One bit a number: its sign."""

    name: str = "binary"

    def applied(self, vectors: Array, seed: int) -> Array:
        """Return -1 and 1, to length 1."""
        return self.settled(vectors)

    def settled(self, vectors: Array) -> Array:
        """Return the same: nothing is secret."""
        return unit(np.where(vectors >= 0, 1.0, -1.0))


@dataclass(frozen=True)
class Cut(Plain):
    """The first `width` numbers only."""

    name: str = "cut"
    width: int = 64

    def applied(self, vectors: Array, seed: int) -> Array:
        """Return (n, width) of length 1."""
        return self.settled(vectors)

    def settled(self, vectors: Array) -> Array:
        """Return the same: nothing is secret."""
        return unit(vectors[:, : self.width])


@dataclass(frozen=True)
class Rotation(Plain):
    """A secret rotation: all angles between stored vectors stay, so retrieval costs nothing. No encryption."""

    name: str = "keyed rotation"
    key: int = 0

    def applied(self, vectors: Array, seed: int) -> Array:
        """Return rotated vectors; the key alone decides how, the seed nothing."""
        return np.asarray(vectors @ self.matrix(vectors.shape[1]), np.float32)

    def asked(self, vectors: Array) -> Array:
        """Return queries rotated by the same key."""
        return self.applied(vectors, 0)

    def matrix(self, width: int) -> Array:
        """Return the rotation (width, width)."""
        q, r = np.linalg.qr(np.random.default_rng(self.key).normal(size=(width, width)))
        return np.asarray(q * np.sign(np.diag(r)))


def ladder(width: int) -> Sequence[Defence]:
    """Return the defences that a report compares for vectors of `width` numbers."""
    return (
        *(Noise(f"noise {size:g}", size) for size in (0.1, 0.3, 1.0, 2.0, 4.0)),
        Whole(),
        Signs(),
        *(Cut(f"cut to {width // part}", width // part) for part in (2, 8)),
        *(MetricPrivacy(f"metric DP ε={width * share:g}", width * share) for share in (2.0, 0.5)),
        Rotation(),
    )


def unrotated(stored: Array, known: Array, pairs: Array) -> Array:
    """Return stored vectors (n, d) turned back by a rotation that pairs give away (orthogonal Procrustes).

    `pairs` (m, d) are stored vectors of texts that the attacker knows, `known` (m, d) his own vectors of them. With as
    many pairs as numbers it is exact; with fewer, the directions that the pairs span.
    """
    left, _, right = np.linalg.svd(pairs.T @ known)
    return np.asarray(stored @ (left @ right), np.float32)


def aligned(stored: Array, own: Array) -> Array:
    """Return stored vectors (n, d) turned so that their spread looks like that of own ones: a guess without pairs.

    Principal axes are matched by their order, their signs by the third moment along them.
    """

    def axes(vectors: Array) -> tuple[Array, Array]:
        middle = vectors.mean(axis=0)
        along = np.linalg.svd(vectors - middle, full_matrices=False)[2]
        lean = np.sign((((vectors - middle) @ along.T) ** 3).mean(axis=0))
        return middle, along * np.where(lean == 0, 1, lean)[:, None]

    (theirs, axes_theirs), (mine, axes_mine) = axes(stored), axes(own)
    count = min(len(axes_theirs), len(axes_mine))
    return unit((stored - theirs) @ axes_theirs[:count].T @ axes_mine[:count] + mine)
