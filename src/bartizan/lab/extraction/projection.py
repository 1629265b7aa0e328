"""How wide a language model is inside, read from its log-probabilities (Carlini et al. 2024, Finlayson et al. 2024).

Logits are a matrix times a hidden state, so however many tokens and prompts are asked, the table of logits has the
rank of the hidden state. Log-probabilities are logits minus one number for each prompt, which goes when rows are
centred. The width is a trade secret by itself, and the table's column space is the last layer's, up to a change of
basis.
"""

from dataclasses import dataclass

import numpy as np

_SOUND = 10.0
"""A fall of singular values by less than this factor is no edge: the table was too small, or its numbers too coarse."""


@dataclass(frozen=True)
class Width:
    """What the singular values say."""

    dimension: int
    """Singular values before the steepest fall; 0 when there is none, and nothing leaks."""
    fall: float
    """Factor of that fall."""
    prompts: int
    tokens: int
    values: tuple[float, ...] = ()
    """The singular values, largest first, as shares of the largest."""

    def money(self, dollars_per_prompt: float) -> float:
        """Return what the prompts cost, in dollars."""
        return self.prompts * dollars_per_prompt


def width(logprobs: np.ndarray) -> Width:
    """Return the hidden width that `logprobs` (prompts, tokens) of the same tokens after different prompts show.

    Both sides must be larger than the width. Raises ValueError for a table that is not one, or not finite.
    """
    if logprobs.ndim != 2 or min(logprobs.shape) < 3 or not np.isfinite(logprobs).all():
        raise ValueError(
            f"width: logprobs {logprobs.shape}: expected finite (prompts, tokens), at least 3 of each; "
            "drop tokens that have no log-probability after some prompt"
        )
    table = logprobs.astype(np.float64)
    table = table - table.mean(axis=1, keepdims=True)
    values = np.linalg.svd(table, compute_uv=False)
    # Centring takes one rank away from a table that has no more columns than the width: its last value is no edge.
    values = values[: min(logprobs.shape) - 1]
    falls = values[:-1] / np.maximum(values[1:], 1e-12 * values[0])
    edge = int(falls.argmax())
    sound = falls[edge] >= _SOUND
    shares = tuple(float(value / values[0]) for value in values)
    return Width(edge + 1 if sound else 0, float(falls[edge]), len(table), table.shape[1], shares)
