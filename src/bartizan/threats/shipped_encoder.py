"""The detector's own encoder as an encoder of texts to attack: there without any download.

The vector of a text is the mean of the last layer. Runs of digits have no tokens of their own there, so numbers leave
no trace but their length.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bartizan.lab.needs import need

if TYPE_CHECKING:
    from bartizan.lab.targets.encoders import Encoder

NAME = "shipped"


def shipped_encoder(limit: int | None = None) -> Encoder:
    """Return the encoder; it never reads more than `limit` texts."""
    torch = need("torch")
    import bartizan.detect
    from bartizan.detect.encoder import SPAN, weights
    from bartizan.detect.tokens import tokenizer
    from bartizan.lab.detector_training import Sample
    from bartizan.lab.encoder_training import resumed, stacked
    from bartizan.lab.targets.encoders import Encoder

    network = resumed(weights(Path(bartizan.detect.__file__).parent / "weights")).eval()
    words = tokenizer()

    def embed(texts: Sequence[str]) -> np.ndarray:
        read = [words.read(text) for text in texts]
        samples = [Sample(one.ids[:SPAN], one.marks[:SPAN], 0, 0) for one in read]
        with torch.inference_mode():
            pooled = network.pooled(*stacked(samples)).numpy()
        return np.asarray(pooled[:, : pooled.shape[1] // 2])

    return Encoder("the detector's encoder", embed, limit)
