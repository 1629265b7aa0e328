"""A watermark in sampled text: each token favours a keyed half of the vocabulary (Kirchenbauer et al. 2023).

The last token and a key choose the green part; the sampler adds `bias` to green logits; whoever has the key counts
green tokens. Only distinct pairs of tokens are counted, because a repeated phrase is one coincidence and not many. What
breaks it: paraphrase, translation, a text of few words, and text whose next words are forced, where a bias changes
nothing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bartizan.lab.ownership.verdict import Verdict


@dataclass(frozen=True)
class GreenList:
    """The key, the green share of the vocabulary 0..1, and what is added to green logits."""

    key: bytes
    vocabulary: int
    share: float = 0.5
    bias: float = 2.0

    def __post_init__(self) -> None:
        """Refuse what would mark nothing, or what anybody could mark."""
        if len(self.key) < 16 or self.vocabulary < 2 or not 0 < self.share < 1 or self.bias < 0:
            raise ValueError(
                f"GreenList(key of {len(self.key)} bytes, vocabulary={self.vocabulary}, share={self.share}, "
                f"bias={self.bias}): expected a key of at least 16 bytes, vocabulary >= 2, 0 < share < 1, bias >= 0"
            )

    def green(self, last: int) -> np.ndarray:
        """Return which tokens are green after the token `last`, (vocabulary,) bool."""
        seed = hashlib.sha256(b"green-list:" + self.key + last.to_bytes(8, "big")).digest()
        draw = np.random.default_rng(int.from_bytes(seed))
        return np.asarray(draw.random(self.vocabulary) < self.share)

    def shifted(self, logits: np.ndarray, last: int) -> np.ndarray:
        """Return `logits` (vocabulary,) as the sampler should see them after the token `last`."""
        return logits + self.bias * self.green(last)

    def verify(self, tokens: Sequence[int]) -> Verdict:
        """Count green tokens among the distinct pairs of neighbours in `tokens`."""
        pairs = set(pairwise(tokens))
        hits = sum(bool(self.green(last)[token]) for last, token in pairs)
        return Verdict(hits, len(pairs), self.share)
