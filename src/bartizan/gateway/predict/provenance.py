"""Sees query attacks by where their inputs come from: they are variations of inputs that were asked before.

An attack that searches for an adversarial example asks about many points near one another. Six signs, each with a
line that honest inputs cross at a known rate (`calibration.py`):

* strange: the input alone is more unusual than honest ones, as black-box attacks' first points often are;
* shared: it has unusual values in common with several earlier inputs, as inputs do that carry the same perturbation;
* close: most of what is unusual in it is so in several earlier inputs, as steps along a class border are;
* wide: the same with a wider idea of "so": the points of a search within a small box are all so far from one another;
* repeated, stepped: in the input alone one value, or one step between neighbours, comes too often (`repeats.py`), as in
  a first question that is made of stripes or tiles.

Earlier inputs are those of every caller, so many accounts help nobody. The same input again says nothing: it is a
client that tries again, and its answer is known already.
After Blacklight (Li et al., USENIX Security 2022) and stateful detection (Chen et al., 2020), with likeness weighed by
how unusual the matching values are.
"""

import math
from dataclasses import dataclass

import numpy as np

from bartizan.gateway.predict.profile import DIRECTIONS, REACHES, Profile
from bartizan.gateway.predict.tensors import Array

NEIGHBOURS = 4
"""It takes this many earlier inputs: honest clients send the same thing again, photographed anew, a few times."""
NEAR = 16
"""Nearest earlier inputs of all callers that are compared in full."""
RECENT = 32
"""Newest earlier inputs of the same caller that are compared in full, however far they seem."""
SIGNS = ("strange", "shared", "close", "wide", "repeated", "stepped")
ALONE = frozenset(("strange", "repeated", "stepped"))
"""Signs of an input without regard to earlier ones."""
_CALLERS = 10_000


@dataclass(frozen=True, slots=True)
class Signs:
    """What one input shows: `strange` and `shared` in nats, `close` and `wide` as -log of the share without match.

    `repeated` and `stepped` are multiples of what is usual. `nearest` are the places in the history of the earlier
    inputs most like it, at most `NEIGHBOURS`.
    """

    strange: float
    shared: float
    close: float
    wide: float
    repeated: float
    stepped: float
    nearest: tuple[int, ...] = ()

    def crossed(self, profile: Profile) -> tuple[str, ...]:
        """Return the names of the signs that are past their lines."""
        lines = profile.lines
        return tuple(name for name in SIGNS if getattr(self, name) > getattr(lines, name))


class History:
    """The last `size` inputs of one model, of all callers."""

    def __init__(self, profile: Profile, size: int) -> None:
        """Remember nothing yet."""
        self._profile = profile
        self._levels = np.zeros((size, len(profile.chosen)), np.uint8)
        self._places = np.zeros((size, DIRECTIONS), np.float32)
        self._lengths = np.zeros(size, np.float32)
        self._next = 0
        self._recent: dict[str, list[int]] = {}

    @property
    def next(self) -> int:
        """Where the next input will be kept."""
        return self._next % len(self._levels)

    def see(self, x: Array, caller: str) -> Signs:
        """Return what one input (D,) shows beside the earlier ones, and remember it."""
        levels = self._profile.levels(x[None])[0]
        place = self._profile.place(levels[None])[0]
        surprises = self._profile.surprises(levels)
        near = self._candidates(place, caller)
        apart = np.abs(self._levels[near].astype(np.int16) - levels)
        others = apart.max(axis=1, initial=0) > 0
        near, apart = near[others], apart[others]
        whole = np.maximum(surprises.sum(axis=1), 1e-9)
        shared = [(apart <= reach) @ surprises[number] for number, reach in enumerate(REACHES)]
        reached = [_reached(one) for one in shared]
        close, wide = (-math.log(max(1 - one / of, 1e-6)) for one, of in zip(reached, whole, strict=True))
        nearest = near[np.argsort(-shared[0])[:NEIGHBOURS]]
        self._keep(levels, place, caller)
        return Signs(float(whole[0]), reached[0], close, wide, *self._profile.repeats(x), tuple(nearest.tolist()))

    def remember(self, x: Array) -> None:
        """Keep earlier inputs (n, D) of nobody in particular, without a look at them."""
        size = len(self._levels)
        levels = self._profile.levels(x[-size:])
        places = self._profile.place(levels)
        at = np.arange(self._next, self._next + len(levels)) % size
        self._levels[at], self._places[at], self._lengths[at] = levels, places, np.square(places).sum(axis=1)
        self._next += len(levels)

    def _candidates(self, place: Array, caller: str) -> Array:
        kept = min(self._next, len(self._levels))
        recent = np.asarray(self._recent.get(caller, []), np.int64)
        if kept <= NEAR:
            return np.arange(kept)
        distances = self._lengths[:kept] - 2 * (self._places[:kept] @ place)
        return np.union1d(np.argpartition(distances, NEAR)[:NEAR], recent)

    def _keep(self, levels: Array, place: Array, caller: str) -> None:
        at = self.next
        self._levels[at], self._places[at], self._lengths[at] = levels, place, place @ place
        self._next += 1
        recent = self._recent.pop(caller, [])  # callers are in the order of their last input
        recent.append(at)
        self._recent[caller] = recent[-RECENT:]
        if len(self._recent) > _CALLERS:
            del self._recent[next(iter(self._recent))]


def _reached(shared: Array) -> float:
    """Return what `NEIGHBOURS` of the earlier inputs share with the new one at least."""
    return float(np.partition(shared, -NEIGHBOURS)[-NEIGHBOURS]) if len(shared) >= NEIGHBOURS else 0.0
