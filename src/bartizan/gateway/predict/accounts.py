"""What each caller asked lately, in windows of several sizes, and which other callers ask the same unusual things.

Questions are summed in blocks of 16. When a block is full, the caller is judged:

* far, doubt, hard: by windows of 32 to 1,024 of its latest questions: how far their mean is from what their answers
  lead one to expect (`sketch.py`), and how unsure the model was of them beyond that, and a quick learner that stands
  in for the thief's copy;
* kin: callers whose even blocks point the same way as this one's are its kin; do its odd blocks point the way of
  theirs? Choosing by one half and testing by the other keeps an honest caller's chance of a false alarm as it is,
  however many callers there are to choose from. One attack that is spread over many accounts is found by this long
  before any of them has asked enough to stand out alone;
* near: the same windows over all callers of one network, and over all who have asked too little to be judged.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from bartizan.gateway.predict.sketch import SIZES, WAVES, WIDTH, Limits, Sketch
from bartizan.gateway.predict.tensors import Array

BLOCK = 16
BLOCKS = SIZES[-1] // BLOCK
KIN_BLOCKS = 16
"""Latest blocks of a caller that kin are known by: with more, honest callers' own looks outweigh what they ask."""
LIKE = 2.5
"""Deviations by which two callers' even blocks agree more than chance has it, for them to be kin."""
_NEAR_BEST = 0.3
"""Share of the likeness of the nearest of kin that others need."""
MOST = 1000
"""Callers that are remembered, and as many networks."""
NEWCOMERS = ""


@dataclass(frozen=True, slots=True)
class Scores:
    """What a full block shows; `far`, `doubt` and `hard` are 0 for a median honest window, 1 for one in a hundred."""

    far: float
    doubt: float
    hard: float
    kin: float = 0.0
    relatives: tuple[str, ...] = ()

    def past(self, limits: Limits) -> list[str]:
        """Return the names of the signs that are past their limits."""
        return [name for name, limit in vars(limits).items() if getattr(self, name) > limit]


@dataclass(frozen=True, slots=True)
class Taken:
    """What questions showed: the blocks of their caller that they filled, and those of its group."""

    scores: tuple[Scores, ...]
    group: str
    """A network, or those who have asked little."""
    near: tuple[Scores, ...]
    """Of blocks of a group of two callers or more; they have no kin."""


@dataclass
class _Asker:
    """The latest blocks of one caller or group: each (WIDTH,)."""

    slot: int
    blocks: deque[Array] = field(default_factory=lambda: deque(maxlen=BLOCKS))
    count: int = 0
    """Blocks since the beginning."""
    open: Array = field(default_factory=lambda: np.zeros(WIDTH, np.float32))
    waiting: int = 0
    """Questions in the block that is not full."""
    callers: set[str] = field(default_factory=set)
    """Of a group: who is in it, as far as two."""

    def put(self, rows: Array) -> list[Array]:
        """Add questions and return the blocks that they filled."""
        full = []
        while len(rows):
            part, rows = rows[: BLOCK - self.waiting], rows[BLOCK - self.waiting :]
            self.open = self.open + part.sum(axis=0)
            self.waiting += len(part)
            if self.waiting == BLOCK:
                full.append(self.open)
                self.open, self.waiting = np.zeros(WIDTH, np.float32), 0
        return full


class Accounts:
    """The callers of one model."""

    def __init__(self, sketch: Sketch) -> None:
        """Remember nothing yet."""
        self._sketch = sketch
        self._askers: dict[str, _Asker] = {}  # in the order of the last question
        self._groups: dict[str, _Asker] = {}
        self._halves = np.zeros((2, MOST, WAVES), np.float32)  # sums of each caller's even and odd blocks, no doubt
        self._counts = np.zeros((2, MOST), np.int64)
        self._names = [""] * MOST

    def take(self, caller: str, network: str, rows: Array) -> Taken:
        """Take in questions of a caller, `Sketch.unexpected` of each (n, WIDTH), and judge the blocks they fill."""
        asker = self._asker(caller)
        group = network if asker.count >= 2 else NEWCOMERS
        near = self._near(group, caller, rows) if group or asker.count < 2 else ()
        return Taken(tuple(self.judged(caller, block) for block in asker.put(rows)), group, near)

    def judged(self, caller: str, block: Array) -> Scores:
        """Take in one full block of a caller and return what it shows."""
        asker = self._asker(caller)
        half, slot = asker.count % 2, asker.slot
        if len(asker.blocks) >= KIN_BLOCKS:  # the block that is too old now is of the same half: KIN_BLOCKS is even
            self._halves[half, slot] -= asker.blocks[-KIN_BLOCKS][:WAVES]
            self._counts[half, slot] -= 1
        asker.blocks.append(block)
        asker.count += 1
        self._halves[half, slot] += block[:WAVES]
        self._counts[half, slot] += 1
        kin, relatives = self._kin(slot)
        return Scores(*self._own(asker), kin, relatives)

    def _asker(self, caller: str) -> _Asker:
        asker = self._askers.pop(caller, None)
        if asker is None:
            slot = len(self._askers)
            if slot == MOST:
                slot = self._askers.pop(next(iter(self._askers))).slot
            self._halves[:, slot], self._counts[:, slot], self._names[slot] = 0, 0, caller
            asker = _Asker(slot)
        self._askers[caller] = asker
        return asker

    def _near(self, group: str, caller: str, rows: Array) -> tuple[Scores, ...]:
        """Return what the blocks show that the questions filled in their group, where it has two callers."""
        asker = self._groups.pop(group, None) or _Asker(0)
        if len(self._groups) == MOST:
            del self._groups[next(iter(self._groups))]
        self._groups[group] = asker
        if len(asker.callers) < 2:
            asker.callers.add(caller)
        found = []
        for block in asker.put(rows):
            asker.blocks.append(block)
            found.append(Scores(*self._own(asker)))
        return tuple(found) if len(asker.callers) > 1 else ()

    def _own(self, asker: _Asker) -> tuple[float, float, float]:
        """Return the highest distance, doubt and hardness over windows of the latest questions."""
        sums = np.cumsum(np.stack(asker.blocks)[::-1], axis=0)
        sizes = [size for size in SIZES if size <= len(sums) * BLOCK]
        if not sizes:
            return 0.0, 0.0, 0.0
        ends = np.asarray(sizes) // BLOCK - 1
        signs = window_signs(sums[ends], np.asarray(sizes))
        scale = self._sketch.scales[: len(sizes)]
        far, doubt, hard = ((signs - scale[..., 0]) / scale[..., 1]).max(axis=0)
        return float(far), float(doubt), float(hard)

    def _kin(self, slot: int) -> tuple[float, tuple[str, ...]]:
        """Return how well the caller's odd blocks agree with its kin's, in deviations, and who the kin are."""
        counts = self._counts
        if not counts[:, slot].all():
            return 0.0, ()
        some = len(self._askers)
        counts = self._counts[:, :some]
        even = self._halves[0, :some] / np.sqrt(np.maximum(counts[0], 1) * BLOCK)[:, None]
        like = even @ even[slot] / self._sketch.chance
        like[slot] = 0
        kin = np.flatnonzero((like > max(LIKE, _NEAR_BEST * like.max())) & (counts[1] > 0))
        if not len(kin):
            return 0.0, ()
        way = self._halves[1, kin].sum(axis=0)
        own = self._halves[1, slot] @ way / max(float(np.linalg.norm(way)), 1e-9)
        most = kin[np.argsort(-like[kin])][:20]
        return float(own / np.sqrt(counts[1, slot] * BLOCK)), tuple(self._names[one] for one in most)


def window_signs(sums: Array, sizes: Array) -> Array:
    """Return for windows (n, WIDTH) of so many questions (n,) what they show (n, 3): distance, doubt, hardness."""
    far = (sums[:, :WAVES] ** 2).sum(axis=1) / sizes
    return np.column_stack([far, sums[:, WAVES:] / np.sqrt(sizes)[:, None]])
