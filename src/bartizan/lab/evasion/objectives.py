"""What attacks maximise, for each example, and when one has won. One definition for all attacks.

For a model whose last class means "I do not answer", ending there is no win, so every objective counts it on the
model's side: an attack adapts to a rejecting defence by construction.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

from bartizan.lab.target import Target

Tensor = torch.Tensor
Objective = Callable[[Tensor, Tensor], Tensor]
"""(logits (n, classes), labels (n,)) -> what to maximise (n,)."""


def fooled(logits: Tensor, y: Tensor, *, abstains: bool) -> Tensor:
    """Return which rows are answered wrongly, (n,) bool. Not answering is not wrong."""
    said = logits.argmax(1)
    wrong = said != y
    return wrong & (said != logits.shape[1] - 1) if abstains else wrong


def margin(logits: Tensor, y: Tensor, *, abstains: bool = False) -> Tensor:
    """Return the best wrong class minus the best harmless one: positive where the attack has won."""
    harmless = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -torch.inf)
    if abstains:
        harmless = torch.maximum(harmless, logits[:, -1])
        others[:, -1] = -torch.inf
    return others.amax(1) - harmless


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Return the cross-entropy of the true class."""
    return F.cross_entropy(logits, y, reduction="none")


def wrong_mass(logits: Tensor, y: Tensor) -> Tensor:
    """Return the log odds of all wrong classes against the true one and the last, which means "no answer"."""
    mine = F.one_hot(y, logits.shape[1]).bool()
    mine[:, -1] = True
    return logits.masked_fill(mine, -torch.inf).logsumexp(1) - logits.masked_fill(~mine, -torch.inf).logsumexp(1)


def difference_of_logits(logits: Tensor, y: Tensor) -> Tensor:
    """Return the DLR loss of Croce and Hein (ICML 2020, eq. 6): a margin that scaling the logits cannot flatten."""
    top = logits.topk(3, dim=1).values
    right = logits.gather(1, y[:, None])[:, 0]
    first_is_right = logits.argmax(1) == y
    best_other = torch.where(first_is_right, top[:, 1], top[:, 0])
    return (best_other - right) / (top[:, 0] - top[:, 2] + 1e-12)


def towards(aim: Tensor) -> Objective:
    """Return the targeted DLR loss (eq. 7) for the classes `aim` (n,); a plain margin below four classes."""

    def objective(logits: Tensor, y: Tensor) -> Tensor:
        gap = (logits.gather(1, aim[:, None]) - logits.gather(1, y[:, None]))[:, 0]
        if logits.shape[1] < 4:
            return gap
        top = logits.topk(4, dim=1).values
        return gap / (top[:, 0] - 0.5 * (top[:, 2] + top[:, 3]) + 1e-12)

    return objective


def over_all(aim: Tensor) -> Objective:
    """Return how far the classes `aim` lead over every other: what a model that may abstain must be driven to."""

    def objective(logits: Tensor, y: Tensor) -> Tensor:
        del y
        chosen = F.one_hot(aim, logits.shape[1]).bool()
        return logits.gather(1, aim[:, None])[:, 0] - logits.masked_fill(chosen, -torch.inf).amax(1)

    return objective


def usual(target: Target) -> Objective:
    """Return cross-entropy, or its counterpart where the model may abstain."""
    return wrong_mass if target.traits.abstains else cross_entropy
